//! The server as a process of its own, and a client for it.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
};

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Client;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// `gauntlet serve` on a free port. Killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// Starts the server and waits until it says where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = log.find(|line| line.contains("listening")).unwrap();
        // It must not be held up by a log that nobody reads.
        std::thread::spawn(move || log.for_each(drop));
        let address = line.split("127.0.0.1:").nth(1).unwrap();
        let port: String = address.chars().take_while(char::is_ascii_digit).collect();
        Self { child, address: format!("127.0.0.1:{port}").parse().unwrap() }
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        self.call(client().get(url).bearer_auth(token)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.address);
        self.call(client().post(url).json(&body)).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Says something in the chat by v0 and reads to the end of the turn.
pub(crate) async fn say(address: SocketAddr, token: &str, text: &str) {
    let url = format!("ws://{address}/ws/chat?token={token}");
    let (mut socket, _) = connect_async(url).await.unwrap();
    socket.send(Message::text(json!({"content": text}).to_string())).await.unwrap();
    while let Some(Ok(frame)) = socket.next().await {
        if frame.to_text().is_ok_and(|text| text.contains(r#""type":"done""#)) {
            return;
        }
    }
    panic!("the turn did not end");
}

/// Serves a database, with a model at this URL.
pub(crate) fn serve(database: &str, llm: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
        .env("DEEPSEEK_BASE_URL", llm)
        .env("DEEPSEEK_API_KEY", "sk-test")
        .env("JWT_SECRET", "a secret that outlives the process, 32 bytes")
        .env("GAUNTLET__AUTH__ARGON2_MEMORY_KIB", "8")
        .env("GAUNTLET__AUTH__ARGON2_PASSES", "1");
    command
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}
