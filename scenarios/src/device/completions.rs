//! A client of chat completions over HTTP: each message is a request with the conversation so far, streamed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Door;
use crate::{
    record::{Frame, Recorder, What},
    rest,
};

/// The longest answer that is read; what is longer has gone wrong.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// A conversation. Dropping it cuts the requests that are under way.
#[derive(Debug)]
pub(crate) struct Completions {
    line: Arc<Line>,
    turns: JoinSet<()>,
}

/// What its turns share.
#[derive(Debug)]
struct Line {
    client: Client,
    url: String,
    model: String,
    token: Option<String>,
    name: String,
    recorder: Recorder,
    /// What was said, answers only when they were whole.
    said: Mutex<Vec<Value>>,
}

impl Completions {
    pub(super) fn open(
        name: &str,
        door: &Door,
        (url, model): (String, String),
        recorder: &Recorder,
    ) -> Result<Self, String> {
        let (client, token) = (rest::client(&url, door.from)?, door.token.clone());
        let (name, said) = (name.to_owned(), Mutex::default());
        recorder.note(&*name, What::Opened);
        let line = Line { client, url, model, token, name, recorder: recorder.clone(), said };
        Ok(Self { line: Arc::new(line), turns: JoinSet::new() })
    }

    pub(super) fn send(&mut self, text: &str) {
        self.line.note(What::Sent(text.to_owned()));
        let body = {
            let mut said = self.line.said();
            said.push(json!({"role": "user", "content": text}));
            json!({"model": self.line.model, "messages": &*said, "stream": true}).to_string()
        };
        self.turn(body);
    }

    pub(super) fn send_raw(&mut self, body: String) {
        self.line.note(What::SentRaw(body.chars().take(80).collect()));
        self.turn(body);
    }

    fn turn(&mut self, body: String) {
        let line = Arc::clone(&self.line);
        self.turns.spawn(async move {
            let mut turn =
                Turn { line: &line, read: String::new(), finished: false, ended: false, failed: false };
            turn.run(body).await;
        });
    }

    pub(super) async fn hang_up(mut self) {
        self.turns.shutdown().await;
        self.line.note(What::Closed { code: 1000, by_client: true });
    }
}

impl Line {
    fn note(&self, what: What) {
        self.recorder.note(&*self.name, what);
    }

    fn said(&self) -> MutexGuard<'_, Vec<Value>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One answer as it comes.
struct Turn<'a> {
    line: &'a Line,
    /// What the user has read since the last end.
    read: String,
    /// A chunk has told why the answer ends.
    finished: bool,
    /// The end was told, or an error.
    ended: bool,
    /// An error was told.
    failed: bool,
}

impl Turn<'_> {
    async fn run(&mut self, body: String) {
        let mut request = self.line.client.post(&self.line.url).header("content-type", "application/json");
        if let Some(token) = &self.line.token {
            request = request.bearer_auth(token);
        }
        match request.body(body).send().await {
            Ok(response) if response.status().is_success() => self.read(response).await,
            Ok(response) => {
                let status = response.status().as_u16();
                let text = response.text().await.unwrap_or_default();
                let json: Value = serde_json::from_str(&text).unwrap_or_default();
                let told =
                    json.pointer("/error/message").and_then(Value::as_str).map_or(text, ToOwned::to_owned);
                self.fail(&format!("http_{status}"), &told);
            }
            Err(error) => self.fail("no_answer", &rest::root(&error)),
        }
    }

    /// Reads events to the end of the body, also those that come after the end was told.
    async fn read(&mut self, mut response: Response) {
        let (mut events, mut total) = (Events::default(), 0);
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    total += bytes.len();
                    if total > ANSWER_MAX {
                        return self.fail("too_long", &format!("more than {ANSWER_MAX} bytes"));
                    }
                    for data in events.feed(&bytes) {
                        self.event(&data);
                    }
                }
                Ok(None) => break,
                Err(error) => return self.fail("cut", &rest::root(&error)),
            }
        }
        if !self.ended {
            self.fail("cut", "the stream ended without `[DONE]`");
        }
    }

    fn event(&mut self, data: &str) {
        if data == "[DONE]" {
            return self.done();
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            return self.fail("not_json", data);
        };
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            let told = error
                .get("message")
                .and_then(Value::as_str)
                .map_or_else(|| error.to_string(), ToOwned::to_owned);
            return self.fail("error_event", &told);
        }
        let choice = &chunk["choices"][0];
        if let Some(text) = choice["delta"]["content"].as_str().filter(|text| !text.is_empty()) {
            self.frame(json!({"type": "message", "content": text, "id": chunk["id"]}));
        }
        self.finished |= choice["finish_reason"].is_string();
    }

    fn done(&mut self) {
        // Some tell an error and then, in good order, the end of the stream.
        if self.failed {
            return;
        }
        if !self.finished {
            return self.fail("no_finish", "the stream says that it is over, but no chunk says why");
        }
        if !self.ended {
            self.line.said().push(json!({"role": "assistant", "content": self.read}));
        }
        self.ended = true;
        self.frame(json!({"type": "done"}));
    }

    /// Tells what is wrong, unless the turn has ended already.
    fn fail(&mut self, code: &str, told: &str) {
        if !self.ended {
            (self.ended, self.failed) = (true, true);
            self.frame(json!({"type": "error", "code": code, "content": told}));
        }
    }

    fn frame(&mut self, json: Value) {
        self.line.note(What::Frame(Frame::new(json, &mut self.read)));
    }
}

/// Cuts a body into the data of its server-sent events.
#[derive(Debug, Default)]
struct Events {
    line: Vec<u8>,
    data: Vec<String>,
}

impl Events {
    /// Takes bytes and returns the data of the events that they complete.
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                match line.trim_end_matches(['\n', '\r']) {
                    "" if self.data.is_empty() => {}
                    "" => events.push(std::mem::take(&mut self.data).join("\n")),
                    field => self.data.extend(data_of(field)),
                }
            }
        }
        events
    }
}

/// Returns the text of a `data` field; comments and other fields have none.
fn data_of(field: &str) -> Option<String> {
    let text = field.strip_prefix("data:")?;
    Some(text.strip_prefix(' ').unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = ": hello\r\n\r\ndata: {\"a\":\ndata: 1}\n\nevent: x\ndata:[DONE]\n\ndata: cut";

    #[test]
    fn events_are_the_same_wherever_the_body_is_cut_s5() {
        for size in 1..=BODY.len() {
            let mut events = Events::default();

            let found: Vec<_> = BODY.as_bytes().chunks(size).flat_map(|piece| events.feed(piece)).collect();

            assert_eq!(found, ["{\"a\":\n1}", "[DONE]"], "pieces of {size}");
        }
    }

    /// Returns types and codes of the frames that a body becomes.
    fn frames(body: &str) -> Vec<String> {
        let clock: clock::SharedClock = Arc::new(clock::SystemClock::new());
        let recorder = Recorder::new(clock);
        let door = Door {
            target: "127.0.0.1:9".parse().unwrap(),
            from: std::net::Ipv4Addr::LOCALHOST.into(),
            chat: crate::target::Chat::Socket(String::new()),
            token: None,
            manner: crate::model::Manner::default(),
            seat: crate::device::Seat::default(),
        };
        let open =
            Completions::open("ana.phone", &door, ("http://127.0.0.1:9".into(), "m".into()), &recorder);
        let line = open.unwrap().line;
        let mut turn =
            Turn { line: &line, read: String::new(), finished: false, ended: false, failed: false };
        Events::default().feed(body.as_bytes()).iter().for_each(|data| turn.event(data));
        let events = recorder.snapshot();
        let told = events.iter().filter_map(|event| match &event.what {
            What::Frame(frame) => Some(format!("{} {}", frame.field("type"), frame.field("code"))),
            _ => None,
        });
        told.map(|told| told.trim_end().to_owned()).collect()
    }

    #[test]
    fn an_answer_is_whole_only_with_its_reason_and_its_end_s5() {
        let text = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
        let finish = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
        let done = "data: [DONE]\n\n";

        assert_eq!(frames(&[text, finish, done].concat()), ["message", "done"]);
        assert_eq!(frames(&[text, done].concat()), ["message", "error no_finish"]);
        assert_eq!(frames(&[text, finish, done, done].concat()), ["message", "done", "done"]);
        assert_eq!(frames(&[finish, done, text].concat()), ["done", "message"]);
        assert_eq!(
            frames("data: {\"error\":{\"message\":\"m\"}}\n\ndata: [DONE]\n\n"),
            ["error error_event"]
        );
        assert_eq!(frames("data: {\n\n"), ["error not_json"]);
    }
}
