//! Dialogues of protocol v0, as clients of the first back end hold them (`tests/dialogues`).

use std::{fs, path::Path, sync::Arc};

use clock::{Lab, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use mock_deepseek::{MockDeepSeek, Script};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::support::server::Server;

/// A model that does what it is asked for.
const SCRIPT: &str = r#"
    [[rules]]
    match = { contains = "figs" }
    reply = { pieces = ["Figs ", "are ", "rich in fibre."] }

    [[rules]]
    match = { contains = "cut short" }
    reply = { pieces = ["This ", "is ", "cut"] }
    faults = [{ id = "tcp-rst-mid-stream", after_events = 3 }]

    [[rules]]
    match = { contains = "down there" }
    faults = [{ id = "html-500" }]

    [[rules]]
    reply = { pieces = ["Of ", "course."] }
"#;

/// Noon of a day on which all dialogues take place.
const NOON: &str = "2027-01-15T12:00:00Z";

/// Plays a dialogue, and returns it as it was heard.
async fn played(server: &Server, name: &str, text: &str) -> String {
    let language = text.lines().find_map(|line| line.strip_prefix("language ")).unwrap_or("en");
    let token = server.register(&format!("{name}@example.org"), language).await;
    let url = format!("ws://{}/ws/chat?token={token}", server.address);
    let mut client = OldClient { socket: connect_async(url).await.unwrap().0 };
    let mut heard = Vec::new();
    let mut turns = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with('<') {
            heard.push(line.to_owned());
        }
        if let Some(said) = line.strip_prefix('>') {
            client.say(said).await;
            turns += 1;
        }
        // What stands together is said together.
        if lines.peek().is_none_or(|next| !next.starts_with('>')) {
            for _ in 0..std::mem::take(&mut turns) {
                heard.extend(client.turn().await);
            }
        }
    }
    heard.push(String::new());
    heard.join("\n")
}

/// A client that knows what v0 was at first.
struct OldClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl OldClient {
    async fn say(&mut self, said: &str) {
        let frame = match said.strip_prefix('b') {
            Some(bytes) => Message::binary(bytes.trim_start().to_owned().into_bytes()),
            None => Message::text(said.trim_start()),
        };
        self.socket.send(frame).await.unwrap();
    }

    /// Reads the frames of a turn to its end, a line each.
    async fn turn(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let frame = self.socket.next().await.unwrap().unwrap();
            let Message::Text(text) = frame else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            lines.push(format!("< {}", seen(&frame)));
            if matches!(frame["type"].as_str(), Some("done" | "error")) {
                return lines;
            }
        }
    }
}

/// Returns of a frame what an old client sees of it.
fn seen(frame: &Value) -> Value {
    let only = |from: &Value, keys: &[&str]| -> Value {
        let known = keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(key)?.clone())));
        Value::Object(known.collect())
    };
    let mut seen = only(frame, &["type", "content"]);
    if let Some(data) = frame.get("data") {
        seen["data"] = only(data, &["type", "title", "description", "suggested_time"]);
    }
    seen
}

#[test]
fn dialogues_of_old_clients_go_on_as_ever_f148() {
    let (runtime, lab) = Lab::new(NOON.parse::<Timestamp>().unwrap()).unwrap();
    runtime.block_on(async {
        let script = Script::from_toml(SCRIPT).unwrap();
        let llm = MockDeepSeek::builder().lab(&lab).script(script).start().await.unwrap();
        let settings = json!({
            "llm": {"api_key": "sk-test", "base_url": llm.url(), "retries": 0},
            "limits": {"login": {"mode": "off"}},
        });
        let settings = toml::Table::try_from(settings).unwrap();
        let server = Server::whole(Arc::new(lab.clock().clone()), settings).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
        let mut dialogues: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        dialogues.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
        dialogues.sort();
        assert!(dialogues.len() > 10, "{dialogues:?}");
        for path in dialogues {
            let (name, text) =
                (path.file_stem().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
            let heard = played(&server, name, &text).await;
            assert_eq!(heard, text, "{}", path.display());
        }
        server.stop().await;
    });
}
