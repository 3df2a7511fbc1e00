//! The model, asked and listened to.

use std::time::Duration;

use reqwest::{Response, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::House;

/// So long the model may be silent.
const GAP: Duration = Duration::from_secs(2);

/// Events that cannot be read and are borne.
const UNREADABLE_MAX: usize = 3;

/// An answer of the model, as it comes.
pub(super) struct Hearing {
    response: Response,
    rest: Vec<u8>,
    unreadable: usize,
    is_finished: bool,
}

/// What is heard next.
pub(super) enum Heard {
    /// A piece of the answer.
    Piece(String),
    /// Something that is none.
    Unreadable(String),
    /// The answer is whole.
    End,
    /// It will not become whole.
    Break,
}

impl Hearing {
    /// Asks; `None` where no stream comes.
    pub(super) async fn ask(house: &House, messages: Vec<Value>) -> Option<Self> {
        let body = json!({"model": "deepseek-flash", "stream": true, "messages": messages});
        let asked = house.client.post(&house.model).bearer_auth("sk-test").json(&body);
        let response = timeout(GAP, asked.send()).await.ok()?.ok()?;
        let kind = response.headers().get(CONTENT_TYPE)?.as_bytes();
        let is_stream = response.status().is_success() && kind.starts_with(b"text/event-stream");
        is_stream.then_some(Self { response, rest: Vec::new(), unreadable: 0, is_finished: false })
    }

    pub(super) async fn next(&mut self) -> Heard {
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&self.rest.drain(..=end).collect::<Vec<_>>()).into_owned();
                if let Some(heard) = self.line(line.trim_end()) {
                    return heard;
                }
            }
            match timeout(GAP, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => self.rest.extend_from_slice(&bytes),
                Ok(Ok(None)) if self.is_finished => return Heard::End,
                _ => return Heard::Break,
            }
        }
    }

    fn line(&mut self, line: &str) -> Option<Heard> {
        let data = line.strip_prefix("data:")?.trim_start();
        if data == "[DONE]" {
            return Some(if self.is_finished { Heard::End } else { Heard::Break });
        }
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            self.unreadable += 1;
            let is_too_much = self.unreadable > UNREADABLE_MAX;
            return Some(if is_too_much { Heard::Break } else { Heard::Unreadable(line.to_owned()) });
        };
        if event.get("error").is_some() {
            return Some(Heard::Break);
        }
        let choice = event.pointer("/choices/0")?;
        self.is_finished |= choice["finish_reason"] == "stop";
        let text = choice.pointer("/delta/content")?.as_str()?;
        (!text.is_empty()).then(|| Heard::Piece(text.to_owned()))
    }

    /// Reads on until the connection ends.
    pub(super) async fn hold(mut self) {
        while let Ok(Some(_)) = self.response.chunk().await {}
    }
}
