//! The accept loop: connections in, requests to the routes, and an orderly end.
//!
//! Invariant: nothing that was started here lives on when [`run`] has returned or was dropped. All waiting
//! is on the handed-in clock.

mod timer;

use std::{net::SocketAddr, pin::pin};

use axum::{
    Router,
    body::Body,
    serve::{Listener, ListenerExt as _},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    app, chat::WIND_UP, facts::purge, languages::StartError, limit::address::NetworkError, parts::Parts,
    sockets::Sockets, state::AppState,
};
use timer::ClockTimer;

/// Connections open at once, upgraded ones included; the next waits to be accepted until one ends.
const CONNECTIONS_MAX: usize = 50_000;

/// Largest head of a request, in bytes.
const HEAD_BYTES: usize = 32 * 1024;

/// The server could not be built from its parts.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A trusted proxy is no address.
    #[error("`http.trusted_proxies`: {0}")]
    Proxies(#[from] NetworkError),
    /// The database did not say which languages there are.
    #[error(transparent)]
    Languages(#[from] StartError),
}

/// Which connection a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// Unique in this server, from 1.
    pub(crate) number: u64,
    /// Who is at the other end of the socket.
    pub(crate) peer: SocketAddr,
}

/// Lets each piece of an answer go out at once: held back until the one before it is acknowledged, a piece would be
/// late by the 40 ms of a delayed acknowledgement.
pub fn undelayed(listener: TcpListener) -> impl Listener<Addr = SocketAddr> {
    listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "small pieces may be late on a connection");
        }
    })
}

/// Runs a server on a bound listener until `shutdown` is done, then ends it in order: nothing new is
/// accepted, sockets and running requests get the time of `http.drain` on the clock, and replies then
/// [`WIND_UP`] to be stored as far as they were shown; whatever still runs is cut.
///
/// Dropping the future ends everything at once. Works on any tokio runtime.
pub async fn run<L>(
    listener: L,
    parts: Parts,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError>
where
    L: Listener<Addr = SocketAddr>,
{
    let state = AppState::new(parts)?;
    let server = Server {
        router: app::router(state.clone()),
        builder: http_builder(&state.parts),
        stop: CancellationToken::new(),
    };
    let _cut_when_dropped = state.sockets.cut.clone().drop_guard();
    let mut connections = JoinSet::new();
    {
        let accepting = accept(listener, &server, (&mut connections, &state.sockets));
        let sweeping = sweep(&state);
        let purging = purge(&state.parts);
        let failing = unstarted(&state);
        tokio::select! {
            biased;
            () = shutdown => {}
            error = failing => return Err(error.into()),
            () = accepting => {}
            () = sweeping => {}
            () = purging => {}
        }
    }
    tracing::info!(connections = connections.len(), sockets = state.sockets.running.len(), "server stops");
    server.stop.cancel();
    state.sockets.running.close();
    let finished = drain(&state, &mut connections).await;
    tracing::info!(finished, "server stopped");
    connections.shutdown().await;
    state.sockets.cut.cancel();
    state.sockets.running.wait().await;
    Ok(())
}

/// What each connection needs.
#[derive(Clone)]
struct Server {
    router: Router,
    builder: http1::Builder,
    /// Asks connections to end after what they do now.
    stop: CancellationToken,
}

fn http_builder(parts: &Parts) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(ClockTimer::new(parts.clock.clone()))
        .header_read_timeout(parts.config.http.header_timeout)
        .max_buf_size(HEAD_BYTES)
        // Its clock is the machine's; ours is set with the other headers.
        .auto_date_header(false);
    builder
}

/// Accepts connections for ever.
async fn accept<L>(mut listener: L, server: &Server, (connections, sockets): (&mut JoinSet<()>, &Sockets))
where
    L: Listener<Addr = SocketAddr>,
{
    let mut number = 0;
    loop {
        let has_room = connections.len() + sockets.running.len() < CONNECTIONS_MAX;
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            (io, peer) = listener.accept(), if has_room => {
                number += 1;
                connections.spawn(server.clone().serve(io, Connection { number, peer }));
            }
        }
    }
}

impl Server {
    /// Serves one connection until it ends, is upgraded, or the server stops.
    async fn serve<I>(self, io: I, connection: Connection)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router;
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(connection);
            router.clone().oneshot(request.map(Body::new))
        });
        let mut serving = pin!(self.builder.serve_connection(TokioIo::new(io), service).with_upgrades());
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = self.stop.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, peer = %connection.peer, "connection ended early");
        }
    }
}

/// Reads the languages of a server that starts, beside its first connections: it is alive meanwhile. Returns when
/// they could not be read, and otherwise never.
async fn unstarted(state: &AppState) -> StartError {
    match state.hub.languages().start().await {
        Err(error) => error,
        Ok(()) => std::future::pending().await,
    }
}

/// Forgets full buckets from time to time, for ever.
async fn sweep(state: &AppState) {
    let parts = &state.parts;
    loop {
        parts.clock.sleep(parts.config.limits.sweep_interval).await;
        parts.limits.sweep().await;
        state.abuse.sweep();
    }
}

/// Lets sockets and requests come to their end; tells whether all did in time. The chat itself knows
/// what to do at the end of `http.drain`; the limit here is for what it leaves.
async fn drain(state: &AppState, connections: &mut JoinSet<()>) -> bool {
    let all = async {
        state.hub.drain().await;
        while connections.join_next().await.is_some() {}
        state.sockets.running.wait().await;
    };
    let limit = state.parts.config.http.drain.saturating_add(WIND_UP);
    clock::timeout(state.parts.clock.as_ref(), limit, all).await.is_ok()
}
