//! What a client of `chat.v1` knows, whatever becomes of its connections.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::{model::Resume, record::Frame};

/// A device's memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seat(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// What the device calls itself in the ids of its messages.
    name: String,
    epoch: String,
    offset: i64,
    sent: u64,
    /// Ids of messages that this device sent.
    own: BTreeSet<String>,
    /// The ids that the server gave to them.
    stored: BTreeMap<String, String>,
    /// Answers as far as they were read.
    read: BTreeMap<String, String>,
    /// The id of the answer to the last message, or of the one that is read.
    reply: String,
}

/// What a message is called by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Naming<'a> {
    /// The client's id of it; one of its own when there is none.
    pub(crate) id: Option<&'a str>,
    /// The client's id of the message whose place it takes.
    pub(crate) replaces: Option<&'a str>,
}

impl Seat {
    pub(crate) fn new(name: &str) -> Self {
        Self(Arc::new(Mutex::new(Known { name: name.to_owned(), ..Known::default() })))
    }

    /// Returns the first frame.
    pub(super) fn resume(&self, resume: Option<&Resume>) -> String {
        let Some(resume) = resume else { return json!({"type": "resume"}).to_string() };
        let known = self.known();
        let epoch = resume.epoch.clone().unwrap_or_else(|| known.epoch.clone());
        json!({"type": "resume", "epoch": epoch, "offset": known.offset + resume.shift}).to_string()
    }

    /// Returns the frame that sends a message, by an id of the scenario's or by its number.
    pub(super) fn send(&self, text: &str, called: Naming<'_>) -> String {
        let mut known = self.known();
        known.sent += 1;
        let id = called.id.map_or_else(|| format!("{}-{}", known.name, known.sent), str::to_owned);
        known.own.insert(id.clone());
        let mut frame = json!({"type": "send", "client_msg_id": id, "content": text});
        if let Some(old) = called.replaces {
            // Of a message that was never stored the server is told what the scenario says.
            frame["replaces"] = json!(known.stored.get(old).map_or(old, String::as_str));
        }
        frame.to_string()
    }

    /// Returns the frame that stops the answer to the last message, or the one that is read.
    pub(super) fn stop(&self) -> String {
        json!({"type": "stop", "message_id": self.known().reply}).to_string()
    }

    /// Reads a frame.
    pub(crate) fn take(&self, json: Value) -> Frame {
        let mut known = self.known();
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut answer = None;
        match &*text("type") {
            "welcome" => known.welcome(&json, text("epoch")),
            "ack" => {
                known.reply = text("reply_id");
                known.stored.insert(text("client_msg_id"), text("message_id"));
            }
            "chunk" => {
                known.reply = text("message_id");
                known.read.entry(text("message_id")).or_default().push_str(&text("text"));
            }
            "snapshot" => {
                known.read.insert(text("message_id"), text("text"));
            }
            "done" => answer = Some(known.read.remove(&text("message_id")).unwrap_or_default()),
            _ => {}
        }
        if let Some(offset) = json.get("offset").and_then(Value::as_i64) {
            known.offset = offset;
        }
        let is_own = known.own.contains(&text("client_msg_id"));
        let is_duplicate = json.get("duplicate").and_then(Value::as_bool) == Some(true);
        let ends = is_own && (matches!(&*text("type"), "done" | "error") || is_duplicate);
        Frame { json, answer, ends: Some(ends) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn welcome(&mut self, json: &Value, epoch: String) {
        self.epoch = epoch;
        if json.get("recovered").and_then(Value::as_bool) != Some(true) {
            self.offset = json.get("offset").and_then(Value::as_i64).unwrap_or_default();
            self.read.clear();
        }
    }
}
