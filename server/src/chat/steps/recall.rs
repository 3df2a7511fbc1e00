//! What is still known of a conversation when its user says the next thing.
//!
//! A turn needs the open session and what was said in it before. Both were read or written by the turn before, mostly on
//! the same server, and are kept here instead of being read again.
//!
//! Invariant: what is kept is used only for a message that the store takes at the place behind the last one that is known
//! ([`Place::At`](crate::storage::Place)): if anybody else has stored a message or ended the session, it is read anew.
//! Messages are replaced by messages, so that this too is seen.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use crate::{
    ids::SessionId,
    session::Remark,
    storage::{Message, Role, Session},
};

/// So many bytes of texts are kept for one user; who writes longer ones is read anew each time.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// What is kept for one connection or room.
#[derive(Debug, Default)]
pub(in crate::chat) struct Recall(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    session: Session,
    past: Option<Past>,
}

/// What was said in a session, as far back as it matters, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// What the model may see.
    pub(super) messages: VecDeque<Message>,
    /// What the user's messages say about its matter, and when they were said.
    pub(super) remarks: VecDeque<(Timestamp, Remark)>,
}

/// How far back it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) messages: usize,
    pub(super) remarks: usize,
}

impl Recall {
    /// Returns the open session as it was after the last message.
    pub(super) fn session(&self) -> Option<Session> {
        self.lock().as_ref().map(|known| known.session.clone())
    }

    /// Returns what was said in this session, if it is known.
    pub(super) fn past(&self, session: SessionId) -> Option<Past> {
        self.lock().as_ref().filter(|known| known.session.id == session)?.past.clone()
    }

    /// Begins to know a session as it was read or made.
    pub(super) fn begin(&self, session: Session) {
        *self.lock() = Some(Known { session, past: None });
    }

    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    /// Takes in what was read of this session: unless that is newer than what is known, or too much.
    pub(super) fn keep(&self, session: SessionId, past: Past) {
        let mut known = self.lock();
        let Some(known) = known.as_mut().filter(|known| known.session.id == session) else { return };
        let newest = past.messages.back().map_or(0, |message| message.position);
        known.past = (newest <= known.session.messages && past.is_small()).then_some(past);
    }

    /// Takes in a message that was stored just now. One that does not come next shows that others were stored meanwhile.
    pub(super) fn add(&self, message: &Message, remark: Option<Remark>, reach: Reach) {
        let mut lock = self.lock();
        let Some(known) = lock.as_mut() else { return };
        let session = &mut known.session;
        if session.id != message.session || session.messages + 1 != message.position {
            *lock = None;
            return;
        }
        session.messages = message.position;
        session.active_at = session.active_at.max(message.at);
        known.past = known.past.take().and_then(|past| past.with(message, remark, reach));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// Takes what was read, oldest first; `remark` reads what a message of the user says about the matter.
    pub(super) fn new(messages: Vec<Message>, remark: impl Fn(&Message) -> Remark, reach: Reach) -> Self {
        let of_user = messages.iter().filter(|message| message.role == Role::User);
        let remarks = of_user.map(|message| (message.at, remark(message))).collect();
        let mut past = Self { messages: messages.into(), remarks };
        past.cut(reach);
        past
    }

    fn with(mut self, message: &Message, remark: Option<Remark>, reach: Reach) -> Option<Self> {
        if message.kind.is_context() {
            self.messages.push_back(message.clone());
            self.remarks.extend(remark.map(|remark| (message.at, remark)));
            self.cut(reach);
        }
        self.is_small().then_some(self)
    }

    fn cut(&mut self, reach: Reach) {
        self.messages.drain(..self.messages.len().saturating_sub(reach.messages));
        self.remarks.drain(..self.remarks.len().saturating_sub(reach.remarks));
    }

    fn is_small(&self) -> bool {
        self.messages.iter().map(|message| message.text.len()).sum::<usize>() <= TEXT_BYTES_MAX
    }
}

#[cfg(test)]
mod tests;
