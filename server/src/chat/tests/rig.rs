//! A server of nothing but the chat, a client, and a model that does what its script says.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::ws::WebSocketUpgrade, routing::get};
use clock::{Clock, Lab};
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{
        self, Message,
        protocol::frame::{Frame, coding::CloseCode},
    },
};

use crate::{
    Config, Parts,
    abuse::Abuse,
    accounts::Accounts,
    audit::Audit,
    chat::{Guest, Hub},
    ids::UserId,
    limit::Caller,
    sockets::Sockets,
    storage::{Database, NewUser, SharedStorage, User},
};

/// What the model does with one connection.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Sends the head of a stream.
    Head,
    /// Sends these bytes.
    Raw(String),
    /// Sends a chunk with this text.
    Text(&'static str),
    /// Sends finish reason and end marker.
    Finish,
    /// Says nothing for a while.
    Pause(Duration),
    /// Keeps the connection open until the client leaves.
    Hold,
}

/// An answer in the usual form.
pub(super) fn answer(text: &'static str) -> Vec<Act> {
    vec![Act::Head, Act::Text(text), Act::Finish]
}

/// A status without a body.
pub(super) fn status(line: &str) -> Vec<Act> {
    vec![Act::Raw(format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"))]
}

#[derive(Debug, Default)]
struct Journal {
    scripts: VecDeque<Vec<Act>>,
    requests: Vec<Value>,
    closed: usize,
}

/// The model's side, and what it has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Upstream(Arc<Mutex<Journal>>);

impl Upstream {
    /// Adds what the next connection gets.
    pub(super) fn script(&self, acts: Vec<Act>) {
        self.0.lock().unwrap().scripts.push_back(acts);
    }

    /// Returns the bodies of the requests so far.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Returns how many clients have left before their script was over.
    pub(super) fn closed(&self) -> usize {
        self.0.lock().unwrap().closed
    }

    async fn serve(self, listener: TcpListener, lab: Lab) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (upstream, lab) = (self.clone(), lab.clone());
            tokio::spawn(async move { upstream.connection(stream, lab).await });
        }
    }

    async fn connection(self, stream: TcpStream, lab: Lab) {
        let mut stream = lab.activity().metered(stream).unwrap();
        let Some(request) = read_request(&mut stream).await else { return };
        let script = {
            let mut journal = self.0.lock().unwrap();
            journal.requests.push(request);
            journal.scripts.pop_front().unwrap_or_default()
        };
        for act in script {
            if !perform(&mut stream, &lab, act).await {
                self.0.lock().unwrap().closed += 1;
                return;
            }
        }
    }
}

/// Does one thing; `false` when the client has left.
async fn perform(stream: &mut clock::Metered, lab: &Lab, act: Act) -> bool {
    let bytes = match act {
        Act::Head => {
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned()
        }
        Act::Raw(bytes) => bytes,
        Act::Text(text) => format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"),
        Act::Finish => {
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n".to_owned()
        }
        Act::Pause(time) => {
            let mut byte = [0];
            return tokio::select! {
                biased;
                _ = stream.read(&mut byte) => false,
                () = lab.clock().sleep(time) => true,
            };
        }
        Act::Hold => {
            let mut byte = [0];
            return stream.read(&mut byte).await.is_ok_and(|n| n > 0);
        }
    };
    stream.write_all(bytes.as_bytes()).await.is_ok()
}

async fn read_request(stream: &mut clock::Metered) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text[..head].lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length?.parse().ok()?;
            if bytes.len() >= head + 4 + length {
                return serde_json::from_slice(&bytes[head + 4..]).ok();
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return None,
        }
    }
}

/// Everything that a test needs.
pub(super) struct Rig {
    pub(super) lab: Lab,
    pub(super) upstream: Upstream,
    pub(super) storage: SharedStorage,
    pub(super) hub: Hub,
    pub(super) user: User,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

/// Runs a test on its own runtime and clock.
pub(super) fn with_rig(configure: impl FnOnce(&mut Config), test: impl AsyncFnOnce(Rig)) {
    let (runtime, lab) = Lab::new("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    runtime.block_on(async { test(Rig::start(lab, configure).await).await });
}

impl Rig {
    async fn start(lab: Lab, configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("chat.db").display());
        let storage: SharedStorage = Arc::new(Database::open(&url, 2).await.unwrap());
        let user = new_user(&storage, lab.clock().wall()).await;
        let upstream = Upstream::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::default();
        config.llm.base_url = format!("http://{}", listener.local_addr().unwrap());
        configure(&mut config);
        tokio::spawn(upstream.clone().serve(listener, lab.clone()));
        let clock: clock::SharedClock = Arc::new(lab.clock().clone());
        let parts = Parts { seed: 7, ..Parts::usual(config, clock, Arc::clone(&storage)) };
        let parts = parts.patient();
        let hub = Hub::new(parts.clone(), Audit::new(&parts));
        let address = serve(hub.clone(), user.clone());
        Self { lab, upstream, storage, hub, user, address, folder }
    }

    /// Runs the whole server on the same parts, until the sender is dropped; returns a client of it, whose
    /// user becomes the rig's.
    pub(super) async fn whole_server(&mut self) -> (Client, oneshot::Sender<()>, JoinHandle<()>) {
        let parts = self.hub.parts.clone();
        let accounts =
            Accounts::new(Arc::clone(&parts.storage), Arc::clone(&parts.clock), &parts.config.auth);
        let form = serde_json::json!({ "email": "eve@example.com", "password": "long enough" });
        let signed = accounts.register(serde_json::from_value(form).unwrap()).await.unwrap();
        self.user = signed.user;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            crate::run(listener, parts, async { drop(stopped.await) }).await.unwrap();
        });
        let url = format!("ws://{address}/ws/chat?token={}", signed.token);
        (Client(connect_async(url).await.unwrap().0), stop, running)
    }

    /// Opens another connection to the database, past the chat.
    pub(super) async fn database(&self) -> sqlx::SqliteConnection {
        let url = format!("sqlite:{}", self.folder.path().join("chat.db").display());
        <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap()
    }

    /// Opens a socket.
    pub(super) async fn connect(&self) -> Client {
        Client(connect_async(format!("ws://{}/ws", self.address)).await.unwrap().0)
    }

    /// Opens a socket for which the system keeps hardly anything unread.
    pub(super) async fn connect_small(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8192).unwrap();
        let stream = MaybeTlsStream::Plain(socket.connect(self.address).await.unwrap());
        Client(client_async(format!("ws://{}/ws", self.address), stream).await.unwrap().0)
    }

    /// Waits until the model has seen so many requests.
    pub(super) async fn asked(&self, requests: usize) {
        until(|| self.upstream.requests().len() >= requests).await;
    }

    /// Advances the clock.
    pub(super) async fn advance(&self, seconds: f64) {
        self.lab.advance(Duration::from_secs_f64(seconds)).await.unwrap();
    }

    /// Returns the virtual seconds since the beginning.
    pub(super) fn seconds(&self) -> f64 {
        self.lab.clock().now().since_origin().as_secs_f64()
    }

    /// Returns the stored messages of all sessions: kind and text.
    pub(super) async fn stored(&self) -> Vec<String> {
        let mut all = Vec::new();
        for session in self.storage.sessions(self.user.id, None, 9).await.unwrap().iter().rev() {
            let page = crate::storage::Page { user: self.user.id, session: session.id, after: 0, limit: 200 };
            for message in self.storage.messages(page).await.unwrap() {
                all.push(format!("{:?}: {}", message.kind, message.text));
            }
        }
        all
    }
}

/// Waits until something is so, letting everything else run.
pub(super) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

async fn new_user(storage: &SharedStorage, at: Timestamp) -> User {
    let user = User {
        id: UserId::random(),
        email: "ann@example.com".to_owned(),
        display_name: String::new(),
        language: "en".to_owned(),
        is_admin: false,
        created_at: at,
    };
    let new = NewUser { user, password_hash: "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA".to_owned() };
    storage.create_user(new).await.unwrap().unwrap()
}

fn serve(hub: Hub, user: User) -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(hub.parts.config.http.send_buffer_bytes).unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(16).unwrap();
    let connections = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let abuse = Abuse::new(&hub.parts, Sockets::default());
    let upgrade = move |ws: WebSocketUpgrade| {
        let (hub, user, abuse) = (hub.clone(), user.clone(), abuse.clone());
        let connection = connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let caller = Caller { address: [127, 0, 0, 1].into(), user: Some(user.id), connection };
        let bytes = 64 * 1024;
        async move {
            ws.max_message_size(bytes).on_upgrade(move |socket| async move {
                let leave = Box::pin(std::future::pending());
                let guest = Box::new(Guest { caller, user, abuse, leave });
                hub.serve(Box::new(socket), guest).await;
            })
        }
    };
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/ws", get(upgrade))).await });
    address
}

/// A client's socket.
pub(super) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Sends a message to be answered.
    pub(super) async fn say(&mut self, text: &str) {
        self.raw(&serde_json::json!({ "content": text }).to_string()).await;
    }

    /// Sends a frame as it is.
    pub(super) async fn raw(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.unwrap();
    }

    /// Sends a frame that tungstenite would not send by itself.
    pub(super) async fn wrong(&mut self, frame: Frame) {
        self.0.send(Message::Frame(frame)).await.unwrap();
    }

    /// Says goodbye.
    pub(super) async fn goodbye(&mut self) {
        let frame = tungstenite::protocol::CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.0.send(Message::Close(Some(frame))).await.unwrap();
    }

    /// Returns the next frame.
    pub(super) async fn frame(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?} instead of a frame"),
            }
        }
    }

    /// Returns the frames up to the next terminal one.
    pub(super) async fn turn(&mut self) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            let is_last = frame["type"] == "done" || frame["type"] == "error";
            frames.push(frame);
            if is_last {
                return frames;
            }
        }
    }

    /// Sends pongs as fast as the server takes them until a frame comes; returns it.
    pub(super) async fn frame_under_flood(self) -> Value {
        let (mut out, mut incoming) = self.0.split();
        let flood = async { while out.send(Message::Pong(bytes::Bytes::new())).await.is_ok() {} };
        tokio::select! {
            biased;
            frame = incoming.next() => serde_json::from_str(frame.unwrap().unwrap().to_text().unwrap()).unwrap(),
            () = flood => panic!("connection is gone"),
        }
    }

    /// Reads until the server closes; returns its code.
    pub(super) async fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(tungstenite::Error::ConnectionClosed)) | None => return None,
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }
}

/// The turn in short: type and what matters, one word a frame.
pub(super) fn brief(frames: &[Value]) -> String {
    let word = |frame: &Value| {
        let of = |key: &str| frame[key].as_str().unwrap_or("").to_owned();
        match of("type").as_str() {
            "message" if frame["kind"] == "answer" => of("content"),
            "message" => of("kind"),
            "done" => format!("done:{}", of("finish")),
            "error" => format!("error:{}", of("code")),
            other => other.to_owned(),
        }
    };
    frames.iter().map(word).collect::<Vec<_>>().join(" ")
}
