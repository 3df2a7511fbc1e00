//! Conversations as a weakened storage mixes them.

use std::sync::{Mutex, PoisonError};

use clock::Timestamp;
use server::storage::{Message, NewMessage, Session, Stored};

use super::{Twist, WatchedStorage};

/// Conversations in the order in which they were begun.
pub(super) type Sessions = Mutex<Vec<Session>>;

impl WatchedStorage {
    pub(super) fn begun(&self) -> Vec<Session> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a conversation in mind, where that is the weakness.
    pub(super) fn remember(&self, session: Session) {
        if matches!(self.twist, Twist::ContextOfAll | Twist::SessionOfTheLast) {
            self.sessions.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }

    /// Takes a message for one of whoever began the conversation.
    pub(super) fn as_its_owner(&self, message: NewMessage) -> NewMessage {
        let owner = self.begun().into_iter().find(|session| session.id == message.session);
        NewMessage { user: owner.map_or(message.user, |session| session.user), ..message }
    }

    pub(super) async fn context_of_all(&self, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        let mut said = Vec::new();
        for session in self.begun() {
            said.extend(self.inner.context(session.id, since, limit).await?);
        }
        Ok(said)
    }
}
