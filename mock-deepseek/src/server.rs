//! Accepts connections and hands their requests to [`http1`].
//!
//! Invariant: each connection is a task of the set that [`run`] owns; when `run` ends or is dropped,
//! so do they all.

use std::sync::Arc;

use bytes::BytesMut;
use clock::Metered;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::Marks,
    duration::Lasts,
    headers::Headers,
    http1, http2,
    journal::{Arrival, How},
    shared::Shared,
    socket::Socket,
    tls::{HANDSHAKE_MAX, Tls},
    wire::{Rewound, Wire},
};

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
    let Ok(metered) = metered else { return };
    let socket = match &shared.tls {
        None => Socket::Plain(metered),
        Some(tls) => match handshake(metered, tls, &shared, connection).await {
            Some(socket) => socket,
            None => return,
        },
    };
    let http2 = socket.speaks_http2();
    let wire = Wire::new(socket);
    let front = if http2 {
        BytesMut::new()
    } else {
        match http1::serve(&wire, &shared, connection).await {
            http1::Ended::Over => return,
            http1::Ended::Http2(front) => front,
        }
    };
    http2::serve(Rewound { front, wire: Arc::new(wire) }, &shared, connection).await;
}

/// Shakes hands, unless a fault of the script's default does not want that.
async fn handshake(metered: Metered, tls: &Tls, shared: &Arc<Shared>, connection: u64) -> Option<Socket> {
    let stalled = shared.stage.selector().handshake_fault();
    if let Some((fault, lasts)) = stalled {
        let recorder = shared.journal.open(Arrival::handshake(connection, &Headers::default()));
        recorder.planned(None, &[fault]);
        recorder.passed(0, Marks::of(0));
        shared.clock.sleep(lasts.bounded()).await;
        recorder.end(if lasts == Lasts::Forever { How::Cut } else { How::Completed });
        if lasts == Lasts::Forever {
            return None;
        }
    }
    let failed = tokio::select! {
        shaken = tls.acceptor().accept(metered) => match shaken {
            Ok(stream) => return Some(Socket::Tls(Box::new(stream))),
            Err(error) => error.to_string(),
        },
        () = shared.clock.sleep(HANDSHAKE_MAX) => format!("no end after {HANDSHAKE_MAX:?}"),
    };
    tracing::info!(
        connection,
        reason = failed,
        "TLS handshake failed; does the client trust the certificate?"
    );
    None
}
