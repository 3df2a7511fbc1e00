//! Conversations as a weakened storage mixes them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clock::Timestamp;
use server::storage::{Message, MessageKind, NewMessage, Place, Session, Stored};

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

    pub(super) async fn append_twisted(&self, message: NewMessage, place: Place) -> Stored<Option<Message>> {
        match (self.twist, place) {
            (Twist::ExpiryCutsReplies, _) if self.is_old(&message).await? => Ok(None),
            (Twist::SessionOfTheLast, _) => {
                self.inner.append_message(self.as_its_owner(message), place).await
            }
            (Twist::TorsoAsAnswer, _) if message.kind == MessageKind::Interrupted => {
                let message = NewMessage { kind: MessageKind::Answer, ..message };
                self.inner.append_message(message, place).await
            }
            (Twist::AnyPlaceIsNext, Place::At(position)) => {
                let stored = self.inner.append_message(message, Place::Last).await?;
                Ok(stored.map(|message| Message { position, ..message }))
            }
            _ => self.inner.append_message(message, place).await,
        }
    }

    /// Returns whether the session of this reply is older than the idle limit.
    async fn is_old(&self, message: &NewMessage) -> Stored<bool> {
        let open = self.inner.open_session(message.user).await?;
        let started = open.filter(|session| session.id == message.session).map(|session| session.started_at);
        let age = started.and_then(|started| Duration::try_from(message.at.duration_since(started)).ok());
        Ok(message.kind != MessageKind::Said && age.is_some_and(|age| age > self.idle))
    }

    pub(super) async fn context_of_all(&self, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        let mut said = Vec::new();
        for session in self.begun() {
            said.extend(self.inner.context(session.id, since, limit).await?);
        }
        Ok(said)
    }
}
