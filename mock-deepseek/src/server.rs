//! Accepts connections and hands their requests to [`http1`].
//!
//! Invariant: each connection is a task of the set that [`run`] owns; when `run` ends or is dropped,
//! so do they all.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use clock::{Clock, Metered};
use tokio::{
    io::AsyncReadExt as _,
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
    metrics::Refused,
    shared::Shared,
    socket::Socket,
    tls::{HANDSHAKE_MAX, Tls},
    wire::{Rewound, Wire},
};

/// The most connections at once, unless the builder says otherwise; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Where no connection can be accepted, it is tried again after this time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An accepted connection, as those who serve it know it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Counts the connections from 1.
    pub(crate) number: u64,
    pub(crate) shared: Arc<Shared>,
    /// No more requests are taken. Its own, so that connections do not wait for each other.
    pub(crate) closing: CancellationToken,
}

/// Serves until `stop`, or until the mock closes and all connections have come to their end.
pub(crate) async fn run(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let mut count = 0;
    loop {
        tokio::select! {
            stream = accept(&listener, &*shared.clock), if connections.len() < shared.limits.connections => {
                count += 1;
                let closing = shared.closing.child_token();
                let connection = Connection { number: count, shared: Arc::clone(&shared), closing };
                connections.spawn(serve(stream, connection));
            }
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
            () = shared.closing.cancelled() => break,
        }
    }
    drop(listener);
    finish(&mut connections, &stop).await;
    connections.shutdown().await;
}

/// Waits for a connection. Where none can be accepted (too many open files), it waits and tries again.
///
/// Cancellation-safe; whoever calls again tries at once, as when a connection has closed.
pub(crate) async fn accept(listener: &TcpListener, clock: &dyn Clock) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "connection cannot be accepted");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits until all connections have come to their end, or until `stop`.
async fn finish(connections: &mut JoinSet<()>, stop: &CancellationToken) {
    while !connections.is_empty() {
        tokio::select! {
            _ = connections.join_next() => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn serve(stream: TcpStream, connection: Connection) {
    let shared = &connection.shared;
    // Without this, small writes of a stream would wait for each other.
    let metered = stream.set_nodelay(true).and_then(|()| shared.activity.metered(stream));
    let Ok(metered) = metered else { return };
    let _open = shared.journal.watch.metrics.connection();
    let socket = match &shared.tls {
        None => Socket::Plain(metered),
        Some(tls) => match handshake(metered, tls, &connection).await {
            Some(socket) => socket,
            None => return,
        },
    };
    let http2 = socket.speaks_http2();
    let wire = Wire::new(socket);
    let front = if http2 {
        BytesMut::new()
    } else {
        match http1::serve(&wire, &connection).await {
            http1::Ended::Over => return,
            http1::Ended::Http2(front) => front,
        }
    };
    http2::serve(Rewound { front, wire: Arc::new(wire) }, &connection).await;
}

/// Shakes hands, unless a fault of the script's default does not want that.
async fn handshake(mut metered: Metered, tls: &Tls, connection: &Connection) -> Option<Socket> {
    let Connection { number, shared, closing } = connection;
    if let Some((fault, lasts)) = shared.handshake_fault() {
        let recorder = shared.journal.open(Arrival::handshake(*number, &Headers::default()));
        recorder.planned(None, &[fault]);
        recorder.passed(0, Marks::of(0));
        let forever = lasts == Lasts::Forever;
        let how = tokio::select! {
            () = shared.clock.sleep(lasts.bounded()) => if forever { How::Cut } else { How::Completed },
            // What is read is lost, which matters only to a handshake that comes after all.
            () = left(&mut metered), if forever => How::ClientHungUp,
            () = closing.cancelled() => How::Cut,
        };
        recorder.end(how);
        if how != How::Completed {
            return None;
        }
    }
    let failed = tokio::select! {
        shaken = tls.acceptor().accept(metered) => match shaken {
            Ok(stream) => return Some(Socket::Tls(Box::new(stream))),
            Err(error) => error.to_string(),
        },
        () = shared.clock.sleep(HANDSHAKE_MAX) => format!("no end after {HANDSHAKE_MAX:?}"),
        () = closing.cancelled() => return None,
    };
    shared.journal.watch.metrics.refused(Refused::Handshake);
    tracing::info!(
        connection = number,
        reason = failed,
        "TLS handshake failed; does the client trust the certificate?"
    );
    None
}

/// Waits until the client leaves, and loses whatever it says until then.
async fn left(metered: &mut Metered) {
    let mut said = [0; 1024];
    while let Ok(1..) = metered.read(&mut said).await {}
}
