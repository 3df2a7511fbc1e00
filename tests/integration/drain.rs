//! Two hundred answers that are under way when the server is asked to end (F151).

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _, future::join_all};
use mock_deepseek::{MockDeepSeek, Script};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::Barrier};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::support::served::{Served, serve};

/// As many on each protocol.
const EACH: usize = 100;

/// Answers take from four to eleven seconds: a busy machine could not store two hundred that end at once in time.
const PACES: usize = 10;

fn script() -> Script {
    let rule = |pace: usize| {
        let (text, gap) = (question(pace), 400 + 80 * pace);
        format!(
            "[[rules]]\nmatch = {{ contains = \"{text}\" }}\nreply = {{ thinking = \"\", text = \"{ANSWER}\" }}\npace = {{ gap = \"{gap}ms\" }}\n"
        )
    };
    Script::from_toml(&(0..PACES).map(rule).collect::<String>()).unwrap()
}

fn question(number: usize) -> String {
    format!("Is bread of kind {} good?", number % PACES)
}

const ANSWER: &str = "a b c d e f g h i j";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How a conversation came to its end.
#[derive(Debug, PartialEq)]
struct Ended {
    answer: String,
    finish: Value,
    errors: Vec<Value>,
    close: Option<u16>,
}

async fn token(server: &Served, number: usize) -> String {
    let account = json!({"email": format!("u{number}@example.org"), "password": "a long password"});
    server.post("/api/auth/register", account).await["token"].as_str().unwrap().to_owned()
}

async fn open(server: &Served, token: &str, protocol: Option<&'static str>) -> Socket {
    let url = format!("ws://{}/ws/chat?token={token}", server.address);
    let mut request = url.into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    }
    connect_async(request).await.unwrap().0
}

/// Asks, waits at the first piece until everybody has one, and reads to the end of the socket.
async fn converse(mut socket: Socket, asks: Vec<Value>, all: Arc<Barrier>) -> Ended {
    for frame in asks {
        socket.send(Message::text(frame.to_string())).await.unwrap();
    }
    let mut ended = Ended { answer: String::new(), finish: Value::Null, errors: Vec::new(), close: None };
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = &message {
            ended.close = frame.as_ref().map(|frame| frame.code.into());
        }
        let Message::Text(text) = message else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let is_first = ended.answer.is_empty();
        match frame["type"].as_str().unwrap() {
            "message" if frame["role"] != "user" => ended.answer += frame["content"].as_str().unwrap(),
            "chunk" => ended.answer += frame["text"].as_str().unwrap(),
            "snapshot" => frame["text"].as_str().unwrap().clone_into(&mut ended.answer),
            "done" => ended.finish = frame.get("finish_reason").cloned().unwrap_or(json!("answered")),
            "error" => ended.errors.push(frame),
            _ => {}
        }
        if is_first && !ended.answer.is_empty() {
            all.wait().await;
        }
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_answers_are_read_to_their_end_when_the_server_is_asked_to_end_f151() {
    let llm = MockDeepSeek::builder().script(script()).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(&format!("sqlite:{}/chat.db", folder.path().display()), &llm.url());
    command.envs([("GAUNTLET__LIMITS__HTTP__MODE", "off"), ("GAUNTLET__LIMITS__LOGIN__MODE", "off")]);
    command.envs([("GAUNTLET__HTTP__SOCKETS_PER_ADDRESS", "1000"), ("GAUNTLET__HTTP__DRAIN", "300s")]);
    let mut server = Served::start(command);
    // All accounts come first: a socket that waits for the others to be there reads no ping.
    let mut tokens = Vec::new();
    for number in 0..2 * EACH {
        tokens.push(token(&server, number).await);
    }
    let (old, new) = tokens.split_at(EACH);
    let (old, new) = tokio::join!(
        join_all(old.iter().map(|token| open(&server, token, None))),
        join_all(new.iter().map(|token| open(&server, token, Some("chat.v1")))),
    );

    let all = Arc::new(Barrier::new(2 * EACH + 1));
    let old = old.into_iter().enumerate().map(|(number, socket)| {
        converse(socket, vec![json!({"content": question(number)})], Arc::clone(&all))
    });
    let new = new.into_iter().enumerate().map(|(number, socket)| {
        let send = json!({"type": "send", "client_msg_id": "1", "content": question(number)});
        converse(socket, vec![json!({"type": "resume"}), send], Arc::clone(&all))
    });
    let terminated = async {
        all.wait().await;
        server.terminate();
    };
    let (old, new, ()) = tokio::join!(join_all(old), join_all(new), terminated);

    let ended = |close| Ended {
        answer: ANSWER.to_owned(),
        finish: json!("answered"),
        errors: Vec::new(),
        close: Some(close),
    };
    assert!(old.iter().all(|one| *one == ended(1001)), "{old:#?}");
    assert!(new.iter().all(|one| *one == ended(4001)), "{new:#?}");
    assert!(server.ended().success());
}
