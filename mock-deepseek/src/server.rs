//! Accepts connections and hands their requests to [`exchange`].
//!
//! Invariant: each connection is a task of the set that [`run`] owns; when `run` ends or is dropped,
//! so do they all.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    exchange::{self, Arrived},
    metrics::Refused,
    shared::Shared,
    wire::Wire,
};

/// The most connections at once, unless the builder says otherwise; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;
/// The longest request line with headers; hyper answers a longer one with 431.
pub const HEAD_MAX: usize = 64 * 1024;
/// Where no connection can be accepted (too many open files), it is tried again after this time, or when one closes.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`, and then until all connections are closed.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut count = 0;
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < shared.limits.connections => match accepted {
                Ok((stream, _)) => {
                    count += 1;
                    connections.spawn(serve(stream, Arc::clone(&shared), count));
                }
                Err(error) => {
                    tracing::warn!(%error, "connection cannot be accepted");
                    tokio::select! {
                        () = shared.clock.sleep(ACCEPT_PAUSE) => {}
                        Some(_) = connections.join_next() => {}
                        () = stop.cancelled() => break,
                    }
                }
            },
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
            () = shared.closing.cancelled() => break,
        }
    }
    drop(listener);
    finish(&mut connections, &stop).await;
    connections.shutdown().await;
}

/// Waits until all connections are closed, or until `stop`.
async fn finish(connections: &mut JoinSet<()>, stop: &CancellationToken) {
    while !connections.is_empty() {
        tokio::select! {
            _ = connections.join_next() => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, connection: u64) {
    // Without this, small writes of a stream would wait for each other.
    let metered = stream.set_nodelay(true).and_then(|()| shared.activity.metered(stream));
    let Ok(socket) = metered else { return };
    let wire = Wire::new(socket);
    let metrics = &shared.journal.watch.metrics;
    let _open = metrics.connection();
    let requests = AtomicU64::new(0);
    let service = service_fn(|request| {
        let nth = requests.fetch_add(1, Ordering::Relaxed) + 1;
        let arrived = Arrived { shared: Arc::clone(&shared), wire: wire.clone(), connection, nth };
        exchange::handle(arrived, request)
    });
    let mut http = http1::Builder::new();
    // No limit of its own: its timer would not be our clock. Half-closed clients count as gone.
    http.header_read_timeout(None).max_buf_size(HEAD_MAX).half_close(false).keep_alive(true);
    let mut served = pin!(http.serve_connection(TokioIo::new(wire.clone()), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = shared.closing.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        match (error.is_parse_too_large(), error.is_parse()) {
            (true, _) => metrics.refused(Refused::Head),
            (false, true) => metrics.refused(Refused::Malformed),
            (false, false) => {}
        }
        tracing::debug!(%error, connection, "connection ended");
    }
}
