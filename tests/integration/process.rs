//! The server as a process: what is still there after it was killed, and what stops it from starting.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use futures_util::{SinkExt as _, StreamExt as _};
use mock_deepseek::MockDeepSeek;
use reqwest::Client;
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// `gauntlet serve` on a free port. Killed when dropped.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts the server and waits until it says where it listens.
    fn start(database: &Path, llm: &str) -> Self {
        let mut child = serve(database, llm).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let line = log.lines().map_while(Result::ok).find(|line| line.contains("listening")).unwrap();
        let address = line.split("127.0.0.1:").nth(1).unwrap();
        let port: String = address.chars().take_while(char::is_ascii_digit).collect();
        Self { child, address: format!("127.0.0.1:{port}").parse().unwrap() }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let url = format!("http://{}{path}", self.address);
        self.call(client().get(url).bearer_auth(token)).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("http://{}{path}", self.address);
        self.call(client().post(url).json(&body)).await
    }

    /// Says something and reads to the end of the turn.
    async fn say(&self, token: &str, text: &str) {
        let url = format!("ws://{}/ws/chat?token={token}", self.address);
        let (mut socket, _) = connect_async(url.into_client_request().unwrap()).await.unwrap();
        socket.send(Message::text(json!({"content": text}).to_string())).await.unwrap();
        while let Some(Ok(frame)) = socket.next().await {
            if frame.to_text().is_ok_and(|text| text.contains(r#""type":"done""#)) {
                return;
            }
        }
        panic!("the turn did not end");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn serve(database: &Path, llm: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--database"])
        .arg(format!("sqlite:{}", database.display()))
        .env("DEEPSEEK_BASE_URL", llm)
        .env("DEEPSEEK_API_KEY", "sk-test")
        .env("JWT_SECRET", "a secret that outlives the process, 32 bytes")
        .env("GAUNTLET__AUTH__ARGON2_MEMORY_KIB", "8")
        .env("GAUNTLET__AUTH__ARGON2_PASSES", "1");
    command
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_everything_that_was_acknowledged_is_back() {
    let (folder, llm) = (tempfile::tempdir().unwrap(), MockDeepSeek::start().await.unwrap());
    let database = folder.path().join("chat.db");
    let account = json!({"email": "ana@example.org", "password": "a long password"});

    let before = Served::start(&database, &llm.url());
    let token =
        before.post("/api/auth/register", account.clone()).await["token"].as_str().unwrap().to_owned();
    let fact = format!("http://{}/api/users/me/facts/diet", before.address);
    before.call(client().put(fact).bearer_auth(&token).json(&json!({"value": "vegan"}))).await;
    before.say(&token, "I have a mild headache.").await;
    let suggestions = before.get("/api/suggestions", &token).await;
    drop(before);

    let after = Served::start(&database, &llm.url());
    let token = after.post("/api/auth/login", account).await["token"].as_str().unwrap().to_owned();
    let session = after.get("/api/conversations", &token).await[0]["id"].as_str().unwrap().to_owned();
    let messages = after.get(&format!("/api/conversations/{session}/messages"), &token).await;
    assert_eq!(after.get("/api/users/me/facts/diet", &token).await["value"], "vegan");
    assert_eq!(messages[0]["content"], "I have a mild headache.");
    assert_eq!(messages[1]["kind"], "answer");
    assert_eq!(suggestions.as_array().unwrap().len(), 1);
    assert_eq!(after.get("/api/suggestions", &token).await, suggestions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_file_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("chat.db");
    let _first = Served::start(&database, "http://127.0.0.1:9");

    let second = serve(&database, "http://127.0.0.1:9").output().unwrap();

    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{told}");
    assert!(told.contains("chat.db") && told.contains("another"), "{told}");
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let refused = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", "postgres://ann:hunter2@127.0.0.1:9/chat"])
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains("127.0.0.1:9") && !told.contains("hunter2"), "{told}");
}
