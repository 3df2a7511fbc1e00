//! Accepts connections and hands their requests to [`http1`].
//!
//! Invariant: each connection is a task of the set that [`run`] owns; when `run` ends or is dropped,
//! so do they all.

use std::sync::Arc;

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{http1, shared::Shared, wire::Wire};

/// The most connections at once; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Serves until `stop`, and then until all connections are closed.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut count = 0;
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    count += 1;
                    connections.spawn(serve(stream, Arc::clone(&shared), count));
                }
                Err(error) => tracing::warn!(%error, "connection cannot be accepted"),
            },
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, connection: u64) {
    // Without this, small writes of a stream would wait for each other.
    let metered = stream.set_nodelay(true).and_then(|()| shared.activity.metered(stream));
    let Ok(socket) = metered else { return };
    http1::serve(&Wire::new(socket), &shared, connection).await;
}
