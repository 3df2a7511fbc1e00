//! A user's WebSocket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::Empty;
use hyper::{
    Request, StatusCode,
    client::conn::http1,
    header::{
        AUTHORIZATION, CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper_util::rt::TokioIo;
use scenarios::{Guest, model::Protocol};
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::frame::{Frame, Place, Welcome};

/// Read buffer of those who chat; the library's default of 128 KiB is a waste with many sockets.
const READ_BUFFER: usize = 4096;
/// Read buffer of those who say nothing, and are pinged now and then.
const READ_BUFFER_SILENT: usize = 256;
/// Sockets from one source address: far fewer than it has ports, for the search of a free one grows with those taken.
const PER_SOURCE: usize = 5000;
/// Source addresses in use: 127.0.0.1 to 127.0.0.200.
const SOURCES: usize = 200;

/// The socket of a user.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Where a user gets in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door<'a> {
    pub(crate) target: SocketAddr,
    /// What the request names as its host.
    pub(crate) host: &'a str,
    pub(crate) guest: &'a Guest,
    pub(crate) protocol: Protocol,
    /// Place among all users.
    pub(crate) n: usize,
    /// Whether this user says nothing.
    pub(crate) is_silent: bool,
    /// Up to where this user has read; nothing of who begins anew.
    pub(crate) place: Option<&'a Place>,
}

/// Opens the chat; with `chat.v1` there is a welcome. An error says why in words.
pub(crate) async fn open(door: Door<'_>) -> Result<(Socket, Option<Welcome>), String> {
    let stream = dial(door.target, door.n).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (stream, rest) = upgrade(stream, door).await?;
    let buffer = if door.is_silent { READ_BUFFER_SILENT } else { READ_BUFFER };
    let config = WebSocketConfig::default().read_buffer_size(buffer);
    let mut socket =
        WebSocketStream::from_partially_read(stream, rest.to_vec(), Role::Client, Some(config)).await;
    let welcome = match door.protocol {
        Protocol::V0 => None,
        Protocol::V1 => Some(be_welcomed(&mut socket, door.place).await?),
    };
    Ok((socket, welcome))
}

/// Begins `chat.v1` anew or where it was, and waits for the welcome.
async fn be_welcomed(socket: &mut Socket, place: Option<&Place>) -> Result<Welcome, String> {
    let lost = |error: tungstenite::Error| format!("lost before the welcome: {error}");
    let mut first = json!({"type": "resume"});
    if let Some(Place { epoch, offset }) = place {
        (first["epoch"], first["offset"]) = (json!(epoch), json!(offset));
    }
    socket.send(Message::text(first.to_string())).await.map_err(lost)?;
    loop {
        match socket.next().await.transpose().map_err(lost)? {
            Some(Message::Ping(_) | Message::Pong(_)) => {}
            Some(Message::Text(text)) => {
                let welcome = Frame::read(&text, Protocol::V1).welcome();
                return welcome.ok_or_else(|| format!("`{text}` came in the place of a welcome"));
            }
            Some(other) => return Err(format!("{other:?} came in the place of a welcome")),
            None => return Err("the connection ended before the welcome".to_owned()),
        }
    }
}

/// Makes a connection one of WebSocket, and returns what has come on it beyond that. tungstenite does this too, and leaves
/// 4 KiB with each socket.
async fn upgrade(stream: TcpStream, door: Door<'_>) -> Result<(TcpStream, Bytes), String> {
    let key = generate_key();
    let request = request(door, &key)?;
    let failed = |error: hyper::Error| format!("upgrade failed: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let asked = async move {
        let response = sender.send_request(request).await.map_err(failed)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(format!("upgrade failed: HTTP {}", response.status()));
        }
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        if accepted.is_none_or(|accepted| *accepted != derive_accept_key(key.as_bytes())) {
            return Err("upgrade failed: the server took another key than ours".to_owned());
        }
        let spoken = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
        if door.protocol == Protocol::V1 && spoken.is_none_or(|spoken| spoken != door.protocol.name()) {
            return Err(format!("upgrade failed: the server does not speak `{}`", door.protocol.name()));
        }
        hyper::upgrade::on(response).await.map_err(failed)
    };
    let (_, upgraded) = tokio::join!(connection.with_upgrades(), asked);
    let parts = upgraded?.downcast::<TokioIo<TcpStream>>();
    let parts =
        parts.map_err(|_| "upgrade failed: the connection is not the one that was made".to_owned())?;
    Ok((parts.io.into_inner(), parts.read_buf))
}

fn request(Door { host, guest, protocol, .. }: Door<'_>, key: &str) -> Result<Request<Empty<Bytes>>, String> {
    let mut request = Request::get(&guest.path)
        .header(HOST, host)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, key);
    if protocol == Protocol::V1 {
        request = request.header(SEC_WEBSOCKET_PROTOCOL, protocol.name());
    }
    if let Some(token) = &guest.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(Empty::new()).map_err(|error| format!("no request for a chat: {error}"))
}

async fn dial(target: SocketAddr, n: usize) -> std::io::Result<TcpStream> {
    let socket = match target {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if target.is_ipv4() && target.ip().is_loopback() {
        socket.bind((source(n), 0).into())?;
    }
    let stream = socket.connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Returns the address that the `n`th user comes from, on this machine.
fn source(n: usize) -> IpAddr {
    let place = u8::try_from(n / PER_SOURCE % SOURCES).unwrap_or(0);
    Ipv4Addr::new(127, 0, 0, place + 1).into()
}
