//! The page of a lecture and its interface, on the loopback of this machine.
//!
//! | request | answers |
//! |---|---|
//! | `GET /?token=…` | the page; its scripts and style are `GET /lecture.js` and `GET /lecture.css` |
//! | `GET /state?after=REVISION` | [`wire::State`], as soon as there is another revision, or after a while |
//! | `GET /stops` | the prepared lecture |
//! | `GET /bundle?image=0&weight=…` | the step that lies on the desk, as [`Bundle`](crate::explain::Bundle) packs it |
//! | `GET /shares?weight=…` | the shares that the batch's images have in the gradient of a weight |
//! | `POST /go`, `/play`, `/edit` | do what [`wire`] says, and answer with the state |
//! | `POST /save` | `explain`'s page of the step, as a download |
//!
//! Any page that a browser shows can send requests to the loopback, and any program of this machine can
//! connect to it. So [`guard`] refuses all that does not come from our own page, [`connections`] bounds how
//! many there are and how long each may take to ask, and no request names a path of this machine.

pub mod connections;
pub mod guard;
mod routes;
pub mod wire;

use crate::lecture::engine::Desk;
use crate::lecture::stops::Stop;
use crate::{Error, Result};
use guard::Guard;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

/// A server that has its place, and serves nobody yet.
pub struct Server {
    listener: TcpListener,
    guard: Guard,
}

impl Server {
    /// Takes a port of the loopback, this one or any that is free, and draws a token.
    ///
    /// # Errors
    /// [`Error::Setting`] of `--port`, where it cannot be had.
    pub fn new(port: Option<u16>) -> Result<Server> {
        let fail = |error: io::Error| {
            let reason = match error.kind() {
                io::ErrorKind::AddrInUse => "another program has it; leave it out to take one that is free".to_string(),
                _ => format!("the loopback cannot be listened on: {}", crate::error::in_words(&error)),
            };
            Error::setting(port.map_or("--port".to_string(), |port| format!("--port {port}")), reason)
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let listener = TcpListener::bind(address).map_err(fail)?;
        listener.set_nonblocking(true).map_err(fail)?;
        let port = listener.local_addr().map_err(fail)?.port();
        Ok(Server { listener, guard: Guard::new(port, token()?) })
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.guard.port()
    }

    /// Returns the page's address, which is all that a reader needs.
    pub fn link(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.guard.port(), self.guard.token())
    }

    /// Serves, on this thread, until the process ends.
    ///
    /// # Errors
    /// Those of the system, when it does not let it begin.
    pub fn serve(self, desk: Arc<Desk>, stops: Vec<Stop>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener)?;
            connections::serve(listener, routes::router(Arc::new(self.guard), desk, stops)).await;
            Ok(())
        })
    }
}

/// Draws 128 bits that nobody can guess.
fn token() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::setting("the token", format!("the system gives no random bytes: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
