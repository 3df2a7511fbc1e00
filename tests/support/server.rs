//! A server on a real socket and a SQLite file of its own, and a client for it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use clock::{Clock as _, SharedClock, SystemClock};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::{
    Config, Parts,
    extract::{FactExtractor, Found},
    safety::{RedFlag, RedFlags},
    storage::Database,
    texts::{Text, Texts},
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::contract::{Asked, Reply};

/// Longest pause between two looks whether a server is ready.
const ASK_PAUSE_MAX: Duration = Duration::from_millis(100);

/// Password of every user of the tests.
pub(crate) const PASSWORD: &str = "correct horse";

/// A running server. Its file is removed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) db: Database,
    client: Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    folder: tempfile::TempDir,
}

/// What came back: the status and the body, as JSON if it is some.
pub(crate) type Answer = (u16, Value);

impl Server {
    /// Starts a server with the default settings, cheap passwords, and these settings over them, whose texts tell what
    /// was asked for.
    pub(crate) async fn start(clock: SharedClock, settings: toml::Table) -> Self {
        Self::begin(clock, settings, doubled).await
    }

    /// The same with all the parts that a server usually has.
    pub(crate) async fn whole(clock: SharedClock, settings: toml::Table) -> Self {
        Self::begin(clock, settings, |parts| parts).await
    }

    async fn begin(clock: SharedClock, settings: toml::Table, change: fn(Parts) -> Parts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::open(&format!("sqlite:{}/chat.db", folder.path().display()), 4).await.unwrap();
        let parts = change(Parts::usual(config(&settings), clock, Arc::new(db.clone())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { stopped.await.unwrap_or_default() };
        let running = tokio::spawn(async move { server::run(listener, parts, shutdown).await.unwrap() });
        until_ready(address).await;
        let client = Client::builder().no_proxy().build().unwrap();
        Self { address, db, client, stop, running, folder }
    }

    /// Starts another server on the same rows and returns where it listens. It ends with the runtime.
    pub(crate) async fn replica(&self, clock: SharedClock) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let usual = Parts::usual(config(&toml::Table::new()), clock, Arc::new(self.db.clone()));
        let parts = doubled(usual);
        tokio::spawn(async move { server::run(listener, parts, std::future::pending()).await.unwrap() });
        address
    }

    /// Writes into the database past the server, as its operator by hand.
    pub(crate) async fn sql(&self, text: &str) {
        let url = format!("sqlite:{}/chat.db", self.folder.path().display());
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Registers an administrator and returns the token.
    pub(crate) async fn register_admin(&self, email: &str) -> String {
        let token = self.register(email, "en").await;
        self.sql(&format!("UPDATE users SET is_admin = 1 WHERE email = '{email}'")).await;
        token
    }

    /// Asks the server to end and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap();
        self.db.close().await;
    }

    /// Begins a request; an empty token is none.
    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        answer(self.request(Method::GET, path, token)).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path, token).body(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        answer(self.request(Method::PUT, path, token).body(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        answer(self.request(Method::DELETE, path, token)).await
    }

    /// Registers a user with this address and language and returns the token.
    pub(crate) async fn register(&self, email: &str, language: &str) -> String {
        let form = json!({"email": email, "password": PASSWORD, "language": language});
        let (status, body) = self.post("/api/auth/register", "", form).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the answer whole.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let reply = reply(request).await;
    (reply.status, reply.body)
}

/// The same with the headers. Whatever comes is held to the document of the API.
pub(crate) async fn reply(request: RequestBuilder) -> Reply {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let asked = Asked::of(&request);
    let response = client.execute(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let reply = Reply { status, headers, body };
    asked.hold(&reply);
    reply
}

/// Waits until a server has read what it starts with: a test may then move the time. It asks from addresses that no
/// test counts the requests of, from each one once, and more and more slowly: the server has something to do.
pub(crate) async fn until_ready(address: SocketAddr) {
    let mut pause = Duration::from_millis(1);
    for last in 2..=u8::MAX {
        let from = IpAddr::from([127, 0, 77, last]);
        let client = Client::builder().no_proxy().local_address(from).build().unwrap();
        let asked = client.get(format!("http://{address}/health/ready")).send().await.unwrap();
        if asked.status() == StatusCode::OK {
            return;
        }
        SystemClock::new().sleep(pause).await;
        pause = (2 * pause).min(ASK_PAUSE_MAX);
    }
    panic!("the server does not get ready");
}

fn config(settings: &toml::Table) -> Config {
    let cheap = toml::toml! { auth = { argon2_memory_kib = 8, argon2_passes = 1 } };
    Config::default().with(&cheap).unwrap().with(settings).unwrap()
}

fn doubled(parts: Parts) -> Parts {
    Parts { texts: Arc::new(KeyTexts), red_flags: Arc::new(Nothing), extractor: Arc::new(Nothing), ..parts }
}

/// Texts that tell what was asked for; in the language `boom` there is a fault.
#[derive(Debug)]
struct KeyTexts;

impl Texts for KeyTexts {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        assert_ne!(language, "boom", "a fault that is wanted");
        let text = format!("{key} in {language} with {arguments:?}");
        Text { text, language: language.to_owned(), fell_back: false }
    }

    fn resolve(&self, tag: &str) -> String {
        tag.to_owned()
    }
}

/// Finds nothing.
#[derive(Debug)]
struct Nothing;

impl RedFlags for Nothing {
    fn find(&self, _: &str) -> Option<RedFlag> {
        None
    }
}

impl FactExtractor for Nothing {
    fn extract(&self, _: &str, _: jiff::Timestamp) -> Vec<Found> {
        Vec::new()
    }
}
