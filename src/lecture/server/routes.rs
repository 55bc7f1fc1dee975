//! The requests, each by its path.

use super::connections::Trusted;
use super::guard::Guard;
use super::wire::{After, EditAsked, Go, Look, OfWeight, Play, State};
use crate::Error;
use crate::lecture::engine::Desk;
use crate::lecture::page;
use crate::lecture::stops::Stop;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The longest body of a request.
pub const MOST_BODY: usize = 64 << 10;

/// How long a body may take.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

/// How long a page waits for another revision before it asks again.
const POLL: Duration = Duration::from_secs(20);

/// What every answer says to the browser: nothing from elsewhere is loaded, nothing is kept, nobody shows us
/// within a page of theirs.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What the requests share.
struct Lectern {
    guard: Arc<Guard>,
    desk: Arc<Desk>,
    stops: Vec<Stop>,
}

type Shares = Shared<Arc<Lectern>>;

/// Returns the requests that are answered, each behind the guard.
pub fn router(guard: Arc<Guard>, desk: Arc<Desk>, stops: Vec<Stop>) -> Router {
    let lectern = Arc::new(Lectern { guard, desk, stops });
    Router::new()
        .route("/", get(index))
        .route("/lecture.js", get(script))
        .route("/lecture.css", get(style))
        .route("/state", get(state))
        .route("/stops", get(stops_of))
        .route("/bundle", get(bundle))
        .route("/shares", get(shares))
        .route("/go", post(go))
        .route("/play", post(play))
        .route("/edit", post(edit))
        .route("/save", post(save))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "there is nothing here") })
        .method_not_allowed_fallback(|| async { refusal(StatusCode::METHOD_NOT_ALLOWED, "not by this method") })
        .layer(from_fn_with_state(Arc::clone(&lectern), guarded))
        .with_state(lectern)
}

/// Lets a request through, if it is our page's, and not too long.
async fn guarded(Shared(lectern): Shares, request: Request, next: Next) -> Response {
    let checked = lectern.guard.check(request.method(), request.uri(), request.headers());
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut response = match (checked, length) {
        (Err((status, why)), _) => hung_up(refusal(status, why)),
        (Ok(()), Some(MOST_BODY..)) => hung_up(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long")),
        (Ok(()), _) => {
            if let Some(trusted) = request.extensions().get::<Trusted>() {
                trusted.note();
            }
            let _reader = lectern.desk.reader();
            next.run(request).await
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer in words.
fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// An answer behind which the connection ends, so that what else was sent is not read.
fn hung_up(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer to what cannot be done: the request was wrong.
fn told(error: &Error) -> Response {
    refusal(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string())
}

/// Reads the JSON of a request.
async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Response> {
    let is_json =
        |value: &HeaderValue| value.to_str().is_ok_and(|kind| kind.split(';').next() == Some("application/json"));
    if !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(hung_up(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "it must be application/json")));
    }
    match tokio::time::timeout(BODY_PATIENCE, to_bytes(request.into_body(), MOST_BODY)).await {
        Err(_) => Err(hung_up(refusal(StatusCode::REQUEST_TIMEOUT, "the request took too long"))),
        Ok(Err(_)) => Err(hung_up(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long, or was cut off"))),
        Ok(Ok(bytes)) => serde_json::from_slice(&bytes)
            .map_err(|error| refusal(StatusCode::BAD_REQUEST, &format!("it is not what is asked for here: {error}"))),
    }
}

async fn index(Shared(lectern): Shares) -> Response {
    let html = page::shell(lectern.guard.token(), lectern.desk.subject());
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], page::script()).into_response()
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::style()).into_response()
}

async fn state(Shared(lectern): Shares, Query(After { after }): Query<After>) -> Response {
    if let Some(revision) = after {
        lectern.desk.changed(revision, POLL).await;
    }
    lectern.state()
}

async fn stops_of(Shared(lectern): Shares) -> Response {
    Json(&lectern.stops).into_response()
}

async fn bundle(Shared(lectern): Shares, Query(look): Query<Look>) -> Response {
    let desk = Arc::clone(&lectern.desk);
    let bundle = tokio::task::spawn_blocking(move || desk.bundle(look.image, look.weight.as_deref())).await;
    match bundle {
        Ok(Ok(bytes)) => {
            let bytes = Body::from(bytes.as_slice().to_vec());
            ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
        }
        Ok(Err(error)) => told(&error),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the step could not be packed"),
    }
}

async fn shares(Shared(lectern): Shares, Query(OfWeight { weight }): Query<OfWeight>) -> Response {
    let desk = Arc::clone(&lectern.desk);
    match tokio::task::spawn_blocking(move || desk.shares(&weight)).await {
        Ok(Ok(shares)) => Json(shares).into_response(),
        Ok(Err(error)) => told(&error),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the shares could not be computed"),
    }
}

async fn go(Shared(lectern): Shares, request: Request) -> Response {
    let target = match read::<Go>(request).await.map(Go::target) {
        Ok(Ok(target)) => target,
        Ok(Err(error)) => return told(&error),
        Err(response) => return response,
    };
    lectern.after(lectern.desk.go(target).await)
}

async fn play(Shared(lectern): Shares, request: Request) -> Response {
    match read::<Play>(request).await {
        Ok(play) => lectern.desk.play(play.pace()).await,
        Err(response) => return response,
    }
    lectern.state()
}

async fn edit(Shared(lectern): Shares, request: Request) -> Response {
    let edit = match read::<EditAsked>(request).await.map(|asked| asked.edit(lectern.desk.subject())) {
        Ok(Ok(edit)) => edit,
        Ok(Err(error)) => return told(&error),
        Err(response) => return response,
    };
    let outcome = match edit {
        Some(edit) => lectern.desk.edit(edit).await,
        None => lectern.desk.undo().await,
    };
    lectern.after(outcome)
}

async fn save(Shared(lectern): Shares, request: Request) -> Response {
    let look = match read::<Look>(request).await {
        Ok(look) => look,
        Err(response) => return response,
    };
    let desk = Arc::clone(&lectern.desk);
    match tokio::task::spawn_blocking(move || desk.page(look.image, look.weight.as_deref())).await {
        Ok(Ok((step, html))) => {
            let name = format!("attachment; filename=\"glassnet-step-{step}.html\"");
            (
                [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_string()), (header::CONTENT_DISPOSITION, name)],
                html,
            )
                .into_response()
        }
        Ok(Err(error)) => told(&error),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made"),
    }
}

impl Lectern {
    fn state(&self) -> Response {
        Json(State::new(&self.desk.view(), self.desk.subject())).into_response()
    }

    /// The state behind something that was asked for, or why it was not done.
    fn after(&self, outcome: crate::Result<()>) -> Response {
        match outcome {
            Ok(()) => self.state(),
            Err(error) => told(&error),
        }
    }
}
