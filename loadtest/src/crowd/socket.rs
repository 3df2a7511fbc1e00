//! A user's WebSocket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use scenarios::Guest;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        client::IntoClientRequest as _,
        http::{HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};

/// Read buffer; the library's default of 128 KiB is a waste with many sockets.
const READ_BUFFER: usize = 4096;
/// Sockets from one source address: far fewer than it has ports, for the search of a free one grows with those taken.
const PER_SOURCE: usize = 5000;
/// Source addresses in use: 127.0.0.1 to 127.0.0.200.
const SOURCES: usize = 200;

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Opens the chat for the `n`th user. An error says why in words.
pub(crate) async fn open(target: SocketAddr, guest: &Guest, n: usize) -> Result<Socket, String> {
    let stream = dial(target, n).await.map_err(|error| format!("cannot connect: {error}"))?;
    let mut request = format!("ws://{target}{}", guest.path)
        .into_client_request()
        .map_err(|error| format!("no address of a chat: {error}"))?;
    if let Some(token) = &guest.token {
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        let bearer = bearer.map_err(|_| "the token has letters that no header carries".to_owned())?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let (socket, _) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| format!("upgrade failed: {error}"))?;
    Ok(socket)
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
