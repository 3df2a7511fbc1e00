//! The control API: the mock is programmed and asked over plain HTTP, on a port of its own.
//!
//! `control/openapi.json` describes it; a test compares the description with [`ROUTES`] both ways. Errors have
//! one form, [`Refusal`], and name the way out. Invariant: nothing here can slow an answer down or change one
//! that is under way, and each connection is a task of the set that [`run`] owns.

mod clock;
mod faults;
mod guard;
mod journal;
mod live;
mod refusal;
mod script;
mod status;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use ::clock::Lab;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::Method,
    middleware,
    routing::{any, get, post, put},
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub use clock::ADVANCE_MAX;
pub(crate) use faults::entries as faults_for_the_page;
pub(crate) use guard::name as host_name;
pub use journal::{LISTED_DEFAULT, LISTED_IN_DETAIL_MAX};
pub use live::READERS_MAX;
pub(crate) use refusal::Refusal;

use crate::{page, server, shared::Shared};

/// The longest body of a request to the control API.
pub const CONTROL_BODY_MAX: usize = 1024 * 1024;
/// The most connections to the control API at once; further ones wait to be accepted.
pub const CONTROL_CONNECTIONS_MAX: usize = 128;
/// So much time a client has for the head of its request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// All paths with their methods.
const ROUTES: [(&str, &[Method]); 14] = [
    ("/__mock/status", &[Method::GET]),
    ("/__mock/health", &[Method::GET]),
    ("/__mock/metrics", &[Method::GET]),
    ("/__mock/openapi.json", &[Method::GET]),
    ("/__mock/script", &[Method::GET, Method::PUT]),
    ("/__mock/fault", &[Method::PUT, Method::DELETE]),
    ("/__mock/reset", &[Method::POST]),
    ("/__mock/journal", &[Method::GET, Method::DELETE]),
    ("/__mock/journal/stream", &[Method::GET]),
    ("/__mock/journal/{number}", &[Method::GET]),
    ("/__mock/verify", &[Method::POST]),
    ("/__mock/faults", &[Method::GET]),
    ("/__mock/faults/{id}", &[Method::GET]),
    ("/__mock/clock", &[Method::GET, Method::POST]),
];

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Control {
    shared: Arc<Shared>,
    /// Where the API listens.
    api: SocketAddr,
    /// Moves the time, where it stands still by itself; one at a time.
    lab: Option<Mutex<Lab>>,
    /// How many more readers of the live journal there may be.
    readers: Arc<Semaphore>,
    /// Counts the readers, to name them.
    named: AtomicU64,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>, api: SocketAddr, lab: Option<Lab>) -> Self {
        Self {
            shared,
            api,
            lab: lab.map(Mutex::new),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            named: AtomicU64::default(),
        }
    }

    /// Returns the URL of the API as a client that reaches this host has it.
    pub(crate) fn api_url(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.shared.scheme(), self.api.port())
    }
}

/// Serves the control API until `stop`; then, or when this is dropped, all its connections are closed.
pub(crate) async fn run(listener: TcpListener, control: Control, stop: CancellationToken) {
    let clock = Arc::clone(&control.shared.clock);
    let router = router(Arc::new(control));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            stream = server::accept(&listener, &*clock), if connections.len() < CONTROL_CONNECTIONS_MAX => {
                connections.spawn(serve(stream, router.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    let service = TowerToHyperService::new(router);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection to the control API ended");
    }
}

fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/", get(page::on_the_control_port))
        .route("/__mock/status", get(status::status))
        .route("/__mock/health", get(status::health))
        .route("/__mock/metrics", get(status::metrics))
        .route("/__mock/openapi.json", get(status::openapi))
        .route("/__mock/script", get(script::show).put(script::load))
        .route("/__mock/fault", put(script::order).delete(script::withdraw))
        .route("/__mock/reset", post(script::reset))
        .route("/__mock/journal", get(journal::list).delete(journal::clear))
        .route("/__mock/journal/stream", get(live::stream))
        .route("/__mock/journal/{number}", get(journal::one))
        .route("/__mock/verify", post(journal::verify))
        .route("/__mock/faults", get(faults::list))
        .route("/__mock/faults/{id}", get(faults::one))
        .route("/__mock/clock", get(clock::show).post(clock::advance))
        .fallback(any(refusal::unknown_path))
        .method_not_allowed_fallback(refusal::wrong_method)
        .layer(DefaultBodyLimit::max(CONTROL_BODY_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&control), guard::check))
        .with_state(control)
}

#[cfg(test)]
mod tests;
