//! A client of chat completions over HTTP: each message is a request with the conversation so far; the answer is a
//! stream or one JSON object.

mod events;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Door;
use crate::{
    record::{Frame, Recorder, What},
    rest,
    target::Completions as Asked,
};
use events::Events;

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
    asked: Asked,
    token: Option<String>,
    name: String,
    recorder: Recorder,
    /// What was said, answers only when they were whole.
    said: Mutex<Vec<Value>>,
}

impl Completions {
    pub(super) fn open(name: &str, door: &Door, asked: &Asked, recorder: &Recorder) -> Result<Self, String> {
        let url = format!("http://{}{}", door.target, asked.path);
        recorder.note(name, What::Opened);
        let line = Line {
            client: rest::client(&url, door.host.as_deref(), door.from)?,
            url,
            asked: asked.clone(),
            token: door.token.clone(),
            name: name.to_owned(),
            recorder: recorder.clone(),
            said: Mutex::default(),
        };
        Ok(Self { line: Arc::new(line), turns: JoinSet::new() })
    }

    pub(super) fn send(&mut self, text: &str) {
        self.line.note(What::Sent(text.to_owned()));
        let body = {
            let mut said = self.line.said();
            said.push(json!({"role": "user", "content": text}));
            let asked = &self.line.asked;
            json!({"model": asked.model, "messages": &*said, "stream": asked.stream}).to_string()
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
            Turn::new(&line).run(body).await;
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

impl<'a> Turn<'a> {
    const fn new(line: &'a Line) -> Self {
        Self { line, read: String::new(), finished: false, ended: false, failed: false }
    }

    async fn run(&mut self, body: String) {
        let mut request = self.line.client.post(&self.line.url).header("content-type", "application/json");
        if let Some(token) = &self.line.token {
            request = request.bearer_auth(token);
        }
        match request.body(body).send().await {
            Ok(response) if response.status().is_success() && self.line.asked.stream => {
                self.read(response).await;
            }
            Ok(response) if response.status().is_success() => self.read_whole(response).await,
            Ok(response) => {
                let status = response.status().as_u16();
                let text = response.text().await.unwrap_or_default();
                let json: Value = serde_json::from_str(&text).unwrap_or_default();
                let told =
                    json.pointer("/error/message").and_then(Value::as_str).map_or(text, ToOwned::to_owned);
                self.told(&format!("http_{status}"), &told);
            }
            Err(error) => self.found("no_answer", &rest::root(&error)),
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
                        return self.found("too_long", &format!("more than {ANSWER_MAX} bytes"));
                    }
                    for data in events.feed(&bytes) {
                        self.event(&data);
                    }
                }
                Ok(None) => break,
                Err(error) => return self.found("cut", &rest::root(&error)),
            }
        }
        if !self.ended {
            self.found("cut", "the stream ended without `[DONE]`");
        }
    }

    /// Reads an answer that is one JSON object.
    async fn read_whole(&mut self, mut response: Response) {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) if body.len() + bytes.len() > ANSWER_MAX => {
                    return self.found("too_long", &format!("more than {ANSWER_MAX} bytes"));
                }
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) => return self.found("cut", &rest::root(&error)),
            }
        }
        self.whole(&String::from_utf8_lossy(&body));
    }

    fn whole(&mut self, json: &str) {
        self.piece(json, "/message/content");
        // Tells nothing more if the object was an error.
        self.done();
    }

    fn event(&mut self, data: &str) {
        if data == "[DONE]" {
            self.done();
        } else {
            self.piece(data, "/delta/content");
        }
    }

    /// Reads a piece of an answer, or a whole one, whose text is at this place of its choice.
    fn piece(&mut self, json: &str, content: &str) {
        let Ok(piece) = serde_json::from_str::<Value>(json) else {
            return self.found("not_json", json);
        };
        if let Some(error) = piece.get("error").filter(|error| !error.is_null()) {
            let told = error
                .get("message")
                .and_then(Value::as_str)
                .map_or_else(|| error.to_string(), ToOwned::to_owned);
            return self.told("error_event", &told);
        }
        let choice = &piece["choices"][0];
        if let Some(text) = choice.pointer(content).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            self.frame(json!({"type": "message", "content": text, "id": piece["id"]}));
        }
        self.finished |= choice["finish_reason"].is_string();
    }

    fn done(&mut self) {
        // Some tell an error and then, in good order, the end of the stream.
        if self.failed {
            return;
        }
        if !self.finished {
            return self.found("no_finish", "the answer is over, but nothing says why");
        }
        if !self.ended {
            self.line.said().push(json!({"role": "assistant", "content": self.read}));
        }
        self.ended = true;
        self.frame(json!({"type": "done"}));
    }

    /// Passes on what the back end says is wrong.
    fn told(&mut self, code: &str, told: &str) {
        self.error(json!({"type": "error", "kind": "told", "code": code, "content": told}));
    }

    /// Tells what the client finds wrong, and the back end does not say.
    fn found(&mut self, code: &str, found: &str) {
        self.error(json!({"type": "error", "kind": "found", "code": code, "content": found}));
    }

    /// Ends the turn with an error, unless it has ended already.
    fn error(&mut self, frame: Value) {
        if !self.ended {
            (self.ended, self.failed) = (true, true);
            self.frame(frame);
        }
    }

    fn frame(&mut self, json: Value) {
        self.line.note(What::Frame(Frame::new(json, &mut self.read)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns types and codes of the frames that a body becomes.
    fn frames(stream: bool, body: &str) -> Vec<String> {
        let clock: clock::SharedClock = Arc::new(clock::SystemClock::new());
        let recorder = Recorder::new(clock);
        let door = Door {
            target: "127.0.0.1:9".parse().unwrap(),
            host: None,
            from: std::net::Ipv4Addr::LOCALHOST.into(),
            chat: crate::target::Chat::Socket(String::new()),
            token: None,
            manner: crate::model::Manner::default(),
            seat: crate::device::Seat::default(),
        };
        let asked = Asked { path: "/".to_owned(), model: "m".to_owned(), stream };
        let line = Completions::open("ana.phone", &door, &asked, &recorder).unwrap().line;
        let mut turn = Turn::new(&line);
        if stream {
            Events::default().feed(body.as_bytes()).iter().for_each(|data| turn.event(data));
        } else {
            turn.whole(body);
        }
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

        assert_eq!(frames(true, &[text, finish, done].concat()), ["message", "done"]);
        assert_eq!(frames(true, &[text, done].concat()), ["message", "error no_finish"]);
        assert_eq!(frames(true, &[text, finish, done, done].concat()), ["message", "done", "done"]);
        assert_eq!(frames(true, &[finish, done, text].concat()), ["done", "message"]);
        assert_eq!(
            frames(true, "data: {\"error\":{\"message\":\"m\"}}\n\ndata: [DONE]\n\n"),
            ["error error_event"]
        );
        assert_eq!(frames(true, "data: {\n\n"), ["error not_json"]);
    }

    #[test]
    fn one_json_object_is_an_answer_only_with_its_reason_s5() {
        let answer =
            |rest: &str| format!("\n\n{{\"choices\":[{{\"message\":{{\"content\":\"hi\"}}{rest}}}]}}");

        assert_eq!(frames(false, &answer(",\"finish_reason\":\"stop\"")), ["message", "done"]);
        assert_eq!(frames(false, &answer("")), ["message", "error no_finish"]);
        assert_eq!(frames(false, "{\"error\":{\"message\":\"m\"}}"), ["error error_event"]);
        assert_eq!(frames(false, "<html>"), ["error not_json"]);
        assert_eq!(frames(false, ""), ["error not_json"]);
    }
}
