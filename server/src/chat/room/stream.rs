//! What a user's devices are told, in one order.
//!
//! Durable frames get an offset and are kept, so that a device that was away can be told what it missed: all of it or
//! nothing. What is kept is bounded by number, bytes and age; whatever lies before is in the history.
//!
//! Invariant: a device that is attached at offset *n* gets *n + 1*, *n + 2* … and nothing twice.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use clock::Instant;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{
    chat::v1::{Outgoing, SessionState},
    ids::{MessageId, SessionId},
};

/// Frames that a device may be behind; it then takes up the stream anew.
const BEHIND_MAX: usize = 256;
/// Most bytes of frames that are kept for those who are away.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// A frame as it is told.
#[derive(Debug)]
pub(in crate::chat) struct Told {
    /// Its place, if it is durable.
    pub(in crate::chat) offset: Option<u64>,
    /// The device that it is for; all of them if there is none.
    pub(in crate::chat) to: Option<u64>,
    pub(in crate::chat) frame: Outgoing,
    /// The frame as it goes over the wire, made once for all devices.
    pub(in crate::chat) json: Utf8Bytes,
}

/// What a device hears.
#[derive(Clone, Debug)]
pub(in crate::chat) enum Word {
    Told(Arc<Told>),
    /// This device has asked for too much, and must leave.
    Dismissed(u64),
    /// The server stops, and nothing follows.
    Goodbye,
}

/// The bounds of what is kept.
#[derive(Clone, Copy, Debug)]
pub(in crate::chat) struct Window {
    pub(in crate::chat) frames: usize,
    pub(in crate::chat) life: Duration,
}

/// A user's stream.
#[derive(Debug)]
pub(in crate::chat) struct Stream {
    window: Window,
    inner: Mutex<Inner>,
    sender: broadcast::Sender<Word>,
}

#[derive(Debug)]
struct Inner {
    epoch: String,
    offset: u64,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    running: Option<Running>,
    session: Option<SessionId>,
}

#[derive(Debug)]
struct Kept {
    at: Instant,
    told: Arc<Told>,
    /// The answer that ended here: whoever was away has not seen its pieces.
    answer: Option<Running>,
}

/// An answer so far.
#[derive(Clone, Debug)]
struct Running {
    message_id: MessageId,
    text: String,
    characters: usize,
}

/// What a device is told at first, and how it hears the rest.
#[derive(Debug)]
pub(in crate::chat) struct Attached {
    pub(in crate::chat) epoch: String,
    pub(in crate::chat) offset: u64,
    pub(in crate::chat) recovered: bool,
    pub(in crate::chat) session: Option<SessionId>,
    pub(in crate::chat) missed: Vec<Arc<Told>>,
    pub(in crate::chat) words: broadcast::Receiver<Word>,
}

impl Stream {
    pub(in crate::chat) fn new(window: Window) -> Self {
        let inner = Inner {
            epoch: Uuid::new_v4().to_string(),
            offset: 0,
            kept: VecDeque::new(),
            kept_bytes: 0,
            running: None,
            session: None,
        };
        Self { window, inner: Mutex::new(inner), sender: broadcast::Sender::new(BEHIND_MAX) }
    }

    /// Tells a frame to all devices, or to one. Never waits.
    pub(in crate::chat) fn tell(&self, frame: Outgoing, to: Option<u64>, now: Instant) {
        let mut inner = self.inner();
        let offset = frame.is_durable().then(|| {
            inner.offset += 1;
            inner.offset
        });
        let json = frame.to_json(offset).into();
        let told = Arc::new(Told { offset, to, frame, json });
        inner.keep(&told, now, self.window);
        // Nobody may be there to hear it.
        let _ = self.sender.send(Word::Told(told));
    }

    /// Lets a device leave.
    pub(in crate::chat) fn dismiss(&self, device: u64) {
        // It may have left by itself.
        let _ = self.sender.send(Word::Dismissed(device));
    }

    /// Says that nothing follows.
    pub(in crate::chat) fn goodbye(&self) {
        let _ = self.sender.send(Word::Goodbye);
    }

    /// Begins to hear, from behind the place that was seen last, if there is one.
    pub(in crate::chat) fn attach(&self, seen: Option<(&str, u64)>, now: Instant) -> Attached {
        let mut inner = self.inner();
        inner.forget(now, self.window);
        let from = seen.filter(|(epoch, offset)| inner.reaches(epoch, *offset)).map(|(_, offset)| offset);
        let mut missed = Vec::new();
        for kept in inner.kept.iter().filter(|kept| from.is_some_and(|from| kept.told.offset > Some(from))) {
            missed.extend(kept.answer.as_ref().map(Running::told));
            missed.push(Arc::clone(&kept.told));
        }
        missed.extend(inner.running.as_ref().map(Running::told));
        Attached {
            epoch: inner.epoch.clone(),
            offset: inner.offset,
            recovered: from.is_some(),
            session: inner.session,
            missed,
            words: self.sender.subscribe(),
        }
    }

    /// Returns where the next piece of an answer begins, in characters.
    pub(in crate::chat) fn next_index(&self, answer: MessageId) -> usize {
        let inner = self.inner();
        inner.running.as_ref().filter(|it| it.message_id == answer).map_or(0, |running| running.characters)
    }

    /// Returns the session that was told last, unless it has ended.
    pub(in crate::chat) fn session(&self) -> Option<SessionId> {
        self.inner().session
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Returns whether everything behind this place is still here.
    fn reaches(&self, epoch: &str, offset: u64) -> bool {
        let first = self.kept.front().and_then(|kept| kept.told.offset).unwrap_or(self.offset + 1);
        epoch == self.epoch && offset <= self.offset && offset + 1 >= first
    }

    fn keep(&mut self, told: &Arc<Told>, now: Instant, window: Window) {
        let answer = match &told.frame {
            Outgoing::Chunk { message_id, text, .. } => return self.lengthen(*message_id, text),
            Outgoing::Done { .. } => self.running.take(),
            Outgoing::Session { id, state, .. } => {
                self.session = (*state == SessionState::Open).then_some(*id);
                None
            }
            _ => None,
        };
        if told.offset.is_none() {
            return;
        }
        let kept = Kept { at: now, told: Arc::clone(told), answer };
        self.kept_bytes += kept.bytes();
        self.kept.push_back(kept);
        self.forget(now, window);
    }

    fn lengthen(&mut self, message_id: MessageId, text: &str) {
        let fresh = Running { message_id, text: String::new(), characters: 0 };
        let running = match &mut self.running {
            Some(running) if running.message_id == message_id => running,
            other => other.insert(fresh),
        };
        running.text.push_str(text);
        running.characters += text.chars().count();
    }

    /// Drops the oldest until what is kept is within its bounds.
    fn forget(&mut self, now: Instant, window: Window) {
        while let Some(oldest) = self.kept.front() {
            let is_old = now.since(oldest.at) > window.life;
            if !is_old && self.kept.len() <= window.frames && self.kept_bytes <= KEPT_BYTES_MAX {
                return;
            }
            self.kept_bytes -= oldest.bytes();
            self.kept.pop_front();
        }
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.told.json.len() + self.answer.as_ref().map_or(0, |answer| answer.text.len())
    }
}

impl Running {
    fn told(&self) -> Arc<Told> {
        let Self { message_id, text, characters } = self.clone();
        let frame = Outgoing::Snapshot { message_id, text, next_index: characters };
        let json = frame.to_json(None).into();
        Arc::new(Told { offset: None, to: None, frame, json })
    }
}

#[cfg(test)]
mod tests;
