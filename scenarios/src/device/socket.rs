//! A client of the WebSocket chat: frames are JSON.

mod keeper;
mod line;
mod seat;

use std::net::SocketAddr;

use clock::Activity;
use serde_json::json;
use tokio::{
    net::TcpSocket,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{
            HeaderName, HeaderValue,
            header::{AUTHORIZATION, HOST, SEC_WEBSOCKET_PROTOCOL},
        },
        protocol::WebSocketConfig,
    },
};

use super::Door;
use crate::{
    model::{ClientDoing, Opcode, Protocol, SendFrames},
    record::{Recorder, What},
    wire,
};
use keeper::{Keeper, Order, Ordered};
use line::Line;
pub(crate) use seat::{Naming, Seat};

/// Read buffer of a socket; the library's default of 128 KiB is a waste with many sockets.
const READ_BUFFER: usize = 4096;

/// Orders that may wait; each is carried out before the next is given.
const ORDERS_MAX: usize = 1;

/// An open socket. Dropping it cuts the connection.
#[derive(Debug)]
pub(crate) struct Socket {
    orders: mpsc::Sender<Ordered>,
    keeping: JoinHandle<()>,
    name: String,
    recorder: Recorder,
    /// None on v0.
    seat: Option<Seat>,
}

impl Socket {
    /// Opens a socket and reads it into the recorder; `None` when the server refused (recorded).
    pub(super) async fn open(
        name: &str,
        (door, path): (&Door, &str),
        recorder: &Recorder,
        activity: &Activity,
    ) -> Result<Option<Self>, String> {
        let stream = dial(door).await.map_err(|error| format!("cannot reach `{}`: {error}", door.target))?;
        let stream = activity.metered(stream).map_err(|error| error.to_string())?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        match client_async_with_config(upgrade(door, path)?, Line::new(stream), Some(config)).await {
            Ok((socket, _)) => {
                recorder.note(name, What::Opened);
                let (name, recorder) = (name.to_owned(), recorder.clone());
                let seat = (door.manner.protocol == Protocol::V1).then(|| door.seat.clone());
                let keeper = Keeper::new(socket, (name.clone(), recorder.clone()), seat.clone());
                let (orders, ordered) = mpsc::channel(ORDERS_MAX);
                let opened =
                    Self { orders, keeping: tokio::spawn(keeper.run(ordered)), name, recorder, seat };
                if let Some(seat) = &opened.seat {
                    opened.send_raw(&seat.resume(door.manner.resume.as_ref())).await;
                }
                Ok(Some(opened))
            }
            Err(tungstenite::Error::Http(response)) => {
                recorder.note(name, What::Refused(response.status().as_u16()));
                Ok(None)
            }
            Err(error) => Err(format!("upgrade at `{}{path}` failed: {error}", door.target)),
        }
    }

    /// Sends messages of the user in one breath: nothing that comes is read in between. A socket that is closed takes
    /// nothing, and the record shows why.
    pub(super) async fn send(&self, texts: &[String], called: Naming<'_>) {
        let frame = |text: &str| match &self.seat {
            Some(seat) => seat.send(text, called),
            None => json!({"content": text}).to_string(),
        };
        let sending =
            |text: &String| (wire::sound(Opcode::Text, frame(text).as_bytes()), What::Sent(text.clone()));
        self.order(Order::Send(texts.iter().map(sending).collect())).await;
    }

    /// Stops the answer to the last message.
    pub(super) async fn stop(&self) -> Result<(), String> {
        let seat = self.seat.as_ref().ok_or("v0 has no frame that stops an answer; connect by `chat.v1`")?;
        self.send_raw(&seat.stop()).await;
        Ok(())
    }

    /// Sends a frame as it stands.
    pub(super) async fn send_raw(&self, text: &str) {
        let shown = text.chars().take(80).collect();
        let frame = wire::sound(Opcode::Text, text.as_bytes());
        self.order(Order::Send(vec![(frame, What::SentRaw(shown))])).await;
    }

    /// Sends frames as they are told.
    pub(super) async fn send_frames(&self, step: &SendFrames) -> Result<(), String> {
        let bytes = step.frames.iter().map(wire::as_told).collect::<Result<Vec<_>, _>>()?.concat();
        let told = match &step.says {
            Some(text) => What::Sent(text.clone()),
            None => What::SentFrames(step.frames.iter().map(wire::describe).collect::<Vec<_>>().join(", ")),
        };
        self.order(Order::Send(vec![(bytes, told)])).await;
        Ok(())
    }

    /// Behaves in a way; `times` is how many pings it sends, if it sends any.
    pub(super) async fn behave(&self, doing: ClientDoing, times: u32) {
        self.order(Order::Behave(doing, times)).await;
    }

    /// Hangs up without waiting for the running turn.
    pub(super) async fn hang_up(self) {
        self.order(Order::Leave).await;
        self.recorder.note(&*self.name, What::Closed { code: 1000, by_client: true });
    }

    /// Has an order carried out; nothing is done when the connection is over.
    async fn order(&self, order: Order) {
        let (done, carried_out) = oneshot::channel();
        if self.orders.send((order, done)).await.is_ok() {
            // The connection may end before the order's turn comes.
            let _ = carried_out.await;
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// Returns the request that asks for the chat.
fn upgrade(door: &Door, path: &str) -> Result<Request, String> {
    let mut request =
        format!("ws://{}{path}", door.target).into_client_request().map_err(|error| error.to_string())?;
    let headers = request.headers_mut();
    if let Some(host) = &door.host {
        headers.insert(HOST, HeaderValue::from_str(host).map_err(|error| error.to_string())?);
    }
    if let Some(token) = &door.token {
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| error.to_string())?;
        headers.insert(AUTHORIZATION, bearer);
    }
    if door.manner.protocol == Protocol::V1 {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(Protocol::V1.name()));
    }
    for (name, value) in &door.manner.headers {
        let wrong = |error: &dyn std::fmt::Display| format!("header `{name}` cannot be sent: {error}");
        let value = HeaderValue::from_str(value).map_err(|error| wrong(&error))?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&error))?, value);
    }
    Ok(request)
}

async fn dial(door: &Door) -> std::io::Result<tokio::net::TcpStream> {
    let socket = match door.target {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(bytes) = door.manner.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if door.target.ip().is_loopback() && door.target.is_ipv4() {
        socket.bind(SocketAddr::new(door.from, 0))?;
    }
    let stream = socket.connect(door.target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
