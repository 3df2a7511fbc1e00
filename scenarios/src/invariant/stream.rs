//! What a device of `chat.v1` is told: every durable frame once and in order, every answer without gap or repetition.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    observation::Observation,
    record::{Frame, What},
    transcript::Origin,
};

/// What a device has been told so far.
#[derive(Default)]
struct Reader {
    /// The offset of the last durable frame.
    offset: u64,
    /// Characters of each answer that were read; none once it has ended.
    answers: BTreeMap<String, Option<usize>>,
    frames: usize,
}

/// Judges all devices; v0 has no such frames, and nothing to be judged.
pub(super) fn judge(seen: &Observation) -> super::Found {
    let mut readers: BTreeMap<&str, Reader> = BTreeMap::new();
    for (n, event) in seen.events.iter().enumerate() {
        let What::Frame(frame) = &event.what else { continue };
        let reader = readers.entry(&event.actor).or_default();
        if let Err(problem) = reader.take(frame) {
            return Err((format!("`{}` {problem}", event.actor), vec![Origin::Event(n)]));
        }
    }
    Ok(format!("{} frames in order", readers.values().map(|reader| reader.frames).sum::<usize>()))
}

impl Reader {
    fn take(&mut self, frame: &Frame) -> Result<(), String> {
        let number = |name: &str| frame.json.get(name).and_then(Value::as_u64).unwrap_or_default();
        if let Some(offset) = frame.offset() {
            if offset != self.offset + 1 {
                return Err(format!("got frame {offset} after frame {}", self.offset));
            }
            (self.offset, self.frames) = (offset, self.frames + 1);
        }
        match frame.field("type") {
            "welcome" if frame.json.get("recovered") != Some(&Value::Bool(true)) => {
                *self = Self { offset: number("offset"), frames: self.frames, ..Self::default() };
            }
            "chunk" => return self.piece(frame, number("index")),
            "snapshot" => {
                let length = frame.field("text").chars().count();
                self.answers.insert(frame.field("message_id").to_owned(), Some(length));
            }
            "done" => {
                self.answers.insert(frame.field("message_id").to_owned(), None);
            }
            _ => {}
        }
        Ok(())
    }

    fn piece(&mut self, frame: &Frame, index: u64) -> Result<(), String> {
        let read = self.answers.entry(frame.field("message_id").to_owned()).or_insert(Some(0));
        let Some(read) = read else { return Err("got a piece of an answer that had ended".to_owned()) };
        if u64::try_from(*read) != Ok(index) {
            return Err(format!("had read {read} characters and got a piece from character {index} on"));
        }
        *read += frame.field("text").chars().count();
        Ok(())
    }
}
