//! Who may ask: our own page, and nobody else.
//!
//! - A page of another site cannot read our answers, but it can send requests, and by *DNS rebinding* it can
//!   make its own name lead to this machine, and read. Its requests then still name its host: only ours is
//!   let in.
//! - Every request has the token of the printed link, in the address of the page and its parts, in a header
//!   of all else. There is no cookie: a browser would send it to any other port of this machine too.
//! - A request that changes something has an `Origin`, which browsers set and pages cannot.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

/// The header that has the token.
pub const TOKEN: &str = "x-glassnet-token";

/// What a request must have.
pub struct Guard {
    port: u16,
    token: String,
    hosts: [String; 2],
}

/// Why a request is refused.
pub type Refused = (StatusCode, &'static str);

impl Guard {
    /// Guards a port by a token.
    pub fn new(port: u16, token: String) -> Guard {
        Guard { port, token, hosts: ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}")) }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Refuses what does not come from our page.
    ///
    /// # Errors
    /// The status, and why.
    pub fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        self.check_host(uri, headers)?;
        self.check_origin(method, headers)?;
        let of_header = one(headers, TOKEN).map_err(|()| (StatusCode::BAD_REQUEST, "several tokens"))?;
        // A page cannot set a header of its own parts and of itself; for what changes something it must.
        let of_address = uri
            .query()
            .filter(|_| *method == Method::GET)
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("token=")));
        match of_header.or(of_address).is_some_and(|token| same(token, &self.token)) {
            true => Ok(()),
            false => Err((StatusCode::FORBIDDEN, "the token is missing or wrong; open the link that glassnet printed")),
        }
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let Ok(Some(host)) = one(headers, header::HOST.as_str()) else {
            return Err((StatusCode::BAD_REQUEST, "a request names one host"));
        };
        let ours = |host: &str| self.hosts.iter().any(|ours| ours == host);
        match ours(host) && uri.authority().is_none_or(|authority| ours(authority.as_str())) {
            true => Ok(()),
            false => Err((StatusCode::MISDIRECTED_REQUEST, "this is not the host that was asked for")),
        }
    }

    fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
        let foreign = (StatusCode::FORBIDDEN, "the request comes from another page");
        let ours = |origin: &str| {
            origin.strip_prefix("http://").is_some_and(|host| self.hosts.iter().any(|ours| ours == host))
        };
        match one(headers, header::ORIGIN.as_str()) {
            Ok(Some(origin)) if ours(origin) => Ok(()),
            Ok(None) if *method == Method::GET => Ok(()),
            _ => Err(foreign),
        }
    }
}

/// Returns the value of a header that may stand there once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}

/// Compares in a time that does not tell how much is right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status by which a request is refused.
    fn status(method: Method, uri: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
        let guard = Guard::new(4000, "secret".into());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard.check(&method, &uri.parse().unwrap(), &map).err().map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_our_own_page_is_let_in() {
        let [host, token] = [("host", "127.0.0.1:4000"), (TOKEN, "secret")];
        let [ours, foreign] = [("origin", "http://127.0.0.1:4000"), ("origin", "http://evil.example")];
        assert_eq!(status(Method::GET, "/?token=secret", &[host]), None);
        assert_eq!(status(Method::GET, "/state?after=1", &[("host", "localhost:4000"), token]), None);
        assert_eq!(status(Method::POST, "/go", &[host, token, ours]), None);

        assert_eq!(status(Method::GET, "/?token=secret", &[]), Some(400));
        assert_eq!(status(Method::GET, "/?token=secret", &[host, host]), Some(400));
        for wrong in ["evil.example:4000", "127.0.0.1", "127.0.0.1:4001", "localhost.evil.example:4000", "[::1]:4000"] {
            assert_eq!(status(Method::GET, "/?token=secret", &[("host", wrong)]), Some(421), "{wrong}");
        }
        assert_eq!(status(Method::GET, "http://evil.example/?token=secret", &[host]), Some(421));
        for query in ["/", "/?token=", "/?token=secre", "/?token=secrets", "/?token=SECRET", "/?tokens=secret"] {
            assert_eq!(status(Method::GET, query, &[host]), Some(403), "{query}");
        }
        assert_eq!(status(Method::GET, "/", &[host, token, token]), Some(400));
        assert_eq!(status(Method::GET, "/?token=secret", &[host, foreign]), Some(403));
        for origin in ["null", "http://127.0.0.1", "https://127.0.0.1:4000", "http://127.0.0.1:4000.evil.example"] {
            assert_eq!(status(Method::POST, "/go", &[host, token, ("origin", origin)]), Some(403), "{origin}");
        }
        assert_eq!(status(Method::POST, "/go", &[host, token]), Some(403), "no origin");
        assert_eq!(status(Method::POST, "/go?token=secret", &[host, ours]), Some(403), "the token in the address");
        assert_eq!(status(Method::OPTIONS, "/go", &[host, foreign]), Some(403));
    }
}
