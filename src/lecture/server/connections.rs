//! Connections: how many there are, and how long each may take to ask.
//!
//! Whoever connects and says nothing is cut off after [`HEAD_PATIENCE`]. Where there are [`MOST`], the oldest
//! that has not shown the token yet makes room, so that a thousand idle ones keep nobody out.

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The most connections at once.
pub const MOST: usize = 128;

/// How long a request's head may take.
pub const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// The longest head of a request.
const MOST_HEAD: usize = 16 << 10;

/// How long to wait when the system has no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Whether a connection has shown the token.
#[derive(Clone, Default)]
pub struct Trusted(Arc<AtomicBool>);

impl Trusted {
    /// Notes that it has.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The connections there are, the oldest first.
#[derive(Clone, Default)]
struct Connections(Arc<Mutex<Numbered>>);

/// Each connection by its number, with its task once that runs.
type Numbered = BTreeMap<u64, (Trusted, Option<AbortHandle>)>;

impl Connections {
    fn all(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, and ends another where there are too many.
    fn add(&self, number: u64, trusted: Trusted) {
        let mut all = self.all();
        if all.len() >= MOST {
            let oldest = |wanted: bool| all.iter().find(|(_, (trusted, _))| trusted.is() == wanted);
            let ended = oldest(false).or_else(|| oldest(true)).map(|(number, _)| *number);
            if let Some((_, Some(task))) = ended.and_then(|number| all.remove(&number)) {
                task.abort();
            }
        }
        all.insert(number, (trusted, None));
    }

    /// Notes the task of one, unless it has ended already.
    fn runs(&self, number: u64, task: AbortHandle) {
        if let Some((_, running)) = self.all().get_mut(&number) {
            *running = Some(task);
        }
    }
}

/// Serves every connection, on this thread.
pub async fn serve(listener: TcpListener, router: Router) {
    let connections = Connections::default();
    for number in 0.. {
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(_) => tokio::time::sleep(NO_ROOM).await,
            }
        };
        let trusted = Trusted::default();
        connections.add(number, trusted.clone());
        let (router, others) = (router.clone().layer(Extension(trusted)), connections.clone());
        let task = tokio::spawn(async move {
            answer(stream, router).await;
            others.all().remove(&number);
        });
        connections.runs(number, task.abort_handle());
    }
}

/// Answers one connection's requests until it ends.
async fn answer(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MOST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // Nobody is left to hear of an error.
    let _ = connection.await;
}
