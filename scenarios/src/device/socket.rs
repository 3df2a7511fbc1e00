//! A client of the WebSocket chat: frames are JSON.

use std::net::SocketAddr;

use clock::{Activity, Metered};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::{net::TcpSocket, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};

use super::Door;
use crate::record::{Frame, Recorder, What};

/// Read buffer of a socket; the library's default of 128 KiB is a waste with many sockets.
const READ_BUFFER: usize = 4096;

/// What the server sends as close code when the connection just ends.
const ABNORMAL: u16 = 1006;

/// An open socket. Dropping it cuts the connection.
#[derive(Debug)]
pub(crate) struct Socket {
    sink: SplitSink<WebSocketStream<Metered>, Message>,
    reader: JoinHandle<()>,
    name: String,
    recorder: Recorder,
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
        let mut request =
            format!("ws://{}{path}", door.target).into_client_request().map_err(|e| e.to_string())?;
        if let Some(token) = &door.token {
            let bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|e| e.to_string())?;
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => {
                recorder.note(name, What::Opened);
                let (sink, stream) = socket.split();
                let reader = tokio::spawn(read(name.to_owned(), recorder.clone(), stream));
                Ok(Some(Self { sink, reader, name: name.to_owned(), recorder: recorder.clone() }))
            }
            Err(tungstenite::Error::Http(response)) => {
                recorder.note(name, What::Refused(response.status().as_u16()));
                Ok(None)
            }
            Err(error) => Err(format!("upgrade at `{}{path}` failed: {error}", door.target)),
        }
    }

    /// Sends a message of the user; a socket that is closed takes nothing, and the record shows why.
    pub(super) async fn send(&mut self, text: &str) {
        let frame = json!({"content": text}).to_string();
        if self.sink.send(Message::text(frame)).await.is_ok() {
            self.recorder.note(&*self.name, What::Sent(text.to_owned()));
        }
    }

    /// Sends a frame as it stands.
    pub(super) async fn send_raw(&mut self, text: String) {
        let shown: String = text.chars().take(80).collect();
        if self.sink.send(Message::text(text)).await.is_ok() {
            self.recorder.note(&*self.name, What::SentRaw(shown));
        }
    }

    /// Hangs up without waiting for the running turn.
    pub(super) async fn hang_up(mut self) {
        self.reader.abort();
        // The other side may be gone already; then there is nothing to tell it.
        drop(self.sink.close().await);
        self.recorder.note(&*self.name, What::Closed { code: 1000, by_client: true });
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn dial(door: &Door) -> std::io::Result<tokio::net::TcpStream> {
    let socket = match door.target {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if door.target.ip().is_loopback() && door.target.is_ipv4() {
        socket.bind(SocketAddr::new(door.from, 0))?;
    }
    let stream = socket.connect(door.target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn read(
    name: String,
    recorder: Recorder,
    mut stream: futures_util::stream::SplitStream<WebSocketStream<Metered>>,
) {
    let mut answer = String::new();
    while let Some(message) = stream.next().await {
        match message {
            Ok(Message::Text(text)) => {
                let json = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.to_string()));
                recorder.note(&*name, What::Frame(Frame::new(json, &mut answer)));
            }
            Ok(Message::Close(frame)) => {
                let code = frame.map_or(1005, |frame| frame.code.into());
                recorder.note(&*name, What::Closed { code, by_client: false });
                // Reading on sends the answer that the server waits for.
                while let Some(Ok(_)) = stream.next().await {}
                return;
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    recorder.note(&*name, What::Closed { code: ABNORMAL, by_client: false });
}
