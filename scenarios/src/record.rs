//! What happened, in order.
//!
//! Everybody who sees something writes it here with the time of the scenario's clock. Expectations and
//! reports read it; nobody changes what is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clock::{Instant, SharedClock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Event {
    /// When.
    #[serde(with = "crate::evidence::nanoseconds")]
    #[schemars(with = "u64")]
    pub(crate) at: Instant,
    /// Who saw it: a device, a user, `harness`, `clock`.
    pub(crate) actor: String,
    /// What.
    pub(crate) what: What,
}

/// What can happen.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    /// A socket is open.
    Opened,
    /// The upgrade was refused with this status.
    Refused(u16),
    /// A socket is closed, by the server with this code, or by the client itself.
    Closed {
        /// 1006 when the connection just ended.
        code: u16,
        /// Whether this side had asked for it.
        by_client: bool,
    },
    /// A message was sent, which a turn must answer.
    Sent(String),
    /// A frame was sent as it stood.
    SentRaw(String),
    /// Frames were sent as they are on the wire: what they are, in words.
    SentFrames(String),
    /// The last of the pings was answered.
    Pong,
    /// A frame arrived.
    Frame(Frame),
    /// A REST call was answered.
    Http(Answer),
    /// Time moved to here.
    Advanced,
    /// This moment has a name.
    Mark {
        /// The name.
        name: String,
        /// How many requests the model had got by then: times alone do not order what happens at one instant.
        exchanges: usize,
    },
    /// The harness did something worth telling.
    Note(String),
    /// An operation that proves a history to be wrong.
    Proof {
        /// The expectation that it breaks.
        of: String,
        /// The operation, in words.
        text: String,
    },
    /// Evidence that the scenario relied on did not come.
    Missing(String),
    /// The model got a new script, after so many requests.
    Script(usize),
    /// A step is over: so many requests had come to the model, and these of them had ended.
    Step {
        /// Requests so far.
        exchanges: usize,
        /// Places of those that had ended.
        ended: Vec<usize>,
    },
}

/// A frame from the server, with the fields that matchers ask for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Frame {
    /// The frame as it came; a string when it was not JSON.
    pub(crate) json: Value,
    /// What the user had read of the model's answer when this frame ended the turn.
    pub(crate) answer: Option<String>,
    /// Whether it ends a turn of its reader's, where the frame's type does not say that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<bool>,
}

impl Frame {
    /// Takes a frame as it came. `read` is what the user has read of the running answer; the frame adds
    /// its piece to it, or takes it when it ends the turn.
    pub(crate) fn new(json: Value, read: &mut String) -> Self {
        let mut frame = Self { json, answer: None, ends: None };
        let kind = frame.field("kind");
        if frame.field("type") == "message" && (kind == "answer" || kind.is_empty()) {
            read.push_str(frame.field("content"));
        }
        if frame.is_end() {
            frame.answer = Some(std::mem::take(read));
        }
        frame
    }

    /// Returns a top-level field as text; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.json.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns its text for the user, by whatever name.
    pub(crate) fn text(&self) -> &str {
        let content = self.field("content");
        if content.is_empty() { self.field("text") } else { content }
    }

    /// Returns its place among the durable frames of `chat.v1`.
    pub(crate) fn offset(&self) -> Option<u64> {
        self.json.get("offset").and_then(Value::as_u64).filter(|_| self.field("type") != "welcome")
    }

    /// Returns whether this frame ends a turn.
    pub(crate) fn is_end(&self) -> bool {
        let by_type =
            || matches!(self.field("type"), "done" | "error") && self.field("code") != "bad_request";
        self.ends.unwrap_or_else(by_type)
    }
}

/// An answer to a REST call.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Answer {
    /// The name that the call has in the scenario; empty for calls of the harness.
    pub(crate) step: String,
    /// Method and path.
    pub(crate) call: String,
    /// The status.
    pub(crate) status: u16,
    /// Header names and values, lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON, or as a string when it is not.
    pub(crate) body: Value,
}

/// The growing record of one scenario. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    clock: SharedClock,
    events: Arc<Mutex<Vec<Event>>>,
    changed: Arc<Notify>,
}

impl Recorder {
    /// Makes an empty record on this clock.
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, events: Arc::default(), changed: Arc::default() }
    }

    /// Writes down what just happened.
    pub(crate) fn note(&self, actor: impl Into<String>, what: What) {
        let event = Event { at: self.clock.now(), actor: actor.into(), what };
        self.events().push(event);
        self.changed.notify_waiters();
    }

    /// Returns the number of events so far: a place in the record.
    pub(crate) fn len(&self) -> usize {
        self.events().len()
    }

    /// Returns whether a condition holds of the events from place `from` on.
    pub(crate) fn ask<T>(&self, from: usize, question: impl FnOnce(&[Event]) -> T) -> T {
        let events = self.events();
        question(&events[from.min(events.len())..])
    }

    /// Returns everything so far.
    pub(crate) fn snapshot(&self) -> Vec<Event> {
        self.events().clone()
    }

    /// Waits for the next event.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_turn_holds_the_models_words_and_no_others() {
        let mut read = String::new();
        let mut next = |json| Frame::new(json, &mut read).answer;

        assert_eq!(next(json!({"type": "message", "kind": "answer", "content": "Yes, "})), None);
        assert_eq!(next(json!({"type": "message", "content": "do."})), None);
        assert_eq!(next(json!({"type": "message", "kind": "notice", "content": "Broken."})), None);
        assert_eq!(next(json!({"type": "done"})), Some("Yes, do.".to_owned()));
        assert_eq!(next(json!({"type": "done"})), Some(String::new()), "the next turn begins anew");
    }
}
