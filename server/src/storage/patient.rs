//! A store whose every call has a limit of time.
//!
//! An engine that is reached and says nothing, or a network that swallows what is sent, must not hold a turn or a
//! request for ever.

mod access;
mod consents;
mod languages;
mod spending;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use clock::{SharedClock, timeout};
use jiff::Timestamp;

use super::{
    Credentials, Fact, FactClosing, FactOutcome, FactRevision, FactWrite, Message, NewFeed, NewMessage,
    NewReminder, NewSession, NewSuggestion, NewUser, Offered, Page, Place, Preferences, PreferencesOutcome,
    PreferencesWrite, Reminder, ReminderChange, ReminderOutcome, Replaced, Replacing, Restoration,
    RestoreOutcome, Rollback, Session, SharedStorage, Storage, StorageError, Stored, Suggestion,
    SuggestionLimits, TypeReception, User,
};
use crate::ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId};

/// Hands calls on and waits for each no longer than its patience.
#[derive(Debug)]
pub struct Patient {
    inner: SharedStorage,
    clock: SharedClock,
    patience: Duration,
}

impl Patient {
    /// Wraps a store.
    pub fn new(inner: SharedStorage, clock: SharedClock, patience: Duration) -> Self {
        Self { inner, clock, patience }
    }

    async fn within<T>(&self, call: impl Future<Output = Stored<T>>) -> Stored<T> {
        let late = || StorageError::Unavailable(format!("no answer within {:?}", self.patience));
        timeout(&*self.clock, self.patience, call).await.unwrap_or_else(|_| Err(late()))
    }
}

#[async_trait]
impl Storage for Patient {
    async fn ping(&self) -> Stored<()> {
        self.within(self.inner.ping()).await
    }

    async fn create_user(&self, user: NewUser) -> Stored<Option<User>> {
        self.within(self.inner.create_user(user)).await
    }

    async fn credentials(&self, email: &str) -> Stored<Option<Credentials>> {
        self.within(self.inner.credentials(email)).await
    }

    async fn user(&self, id: UserId) -> Stored<Option<User>> {
        self.within(self.inner.user(id)).await
    }

    async fn open_session(&self, user: UserId) -> Stored<Option<Session>> {
        self.within(self.inner.open_session(user)).await
    }

    async fn begin_session(&self, session: NewSession) -> Stored<Session> {
        self.within(self.inner.begin_session(session)).await
    }

    async fn end_session(&self, id: SessionId, at: Timestamp) -> Stored<bool> {
        self.within(self.inner.end_session(id, at)).await
    }

    async fn delete_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        self.within(self.inner.delete_session(user, id)).await
    }

    async fn sessions(&self, user: UserId, before: Option<u32>, limit: u32) -> Stored<Vec<Session>> {
        self.within(self.inner.sessions(user, before, limit)).await
    }

    async fn has_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        self.within(self.inner.has_session(user, id)).await
    }

    async fn append_message(&self, message: NewMessage, place: Place) -> Stored<Option<Message>> {
        self.within(self.inner.append_message(message, place)).await
    }

    async fn replace_message(&self, message: NewMessage, capacity: u32, old: Replaced) -> Stored<Replacing> {
        self.within(self.inner.replace_message(message, capacity, old)).await
    }

    async fn context(&self, session: SessionId, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        self.within(self.inner.context(session, since, limit)).await
    }

    async fn messages(&self, page: Page) -> Stored<Vec<Message>> {
        self.within(self.inner.messages(page)).await
    }

    async fn message(&self, id: MessageId) -> Stored<Option<Message>> {
        self.within(self.inner.message(id)).await
    }

    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        self.within(self.inner.facts(user, at)).await
    }

    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
        self.within(self.inner.fact(user, key, at)).await
    }

    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome> {
        self.within(self.inner.write_fact(write)).await
    }

    async fn close_fact(&self, closing: FactClosing) -> Stored<FactOutcome> {
        self.within(self.inner.close_fact(closing)).await
    }

    async fn purge_facts(&self, ended_by: Timestamp, limit: u32) -> Stored<usize> {
        self.within(self.inner.purge_facts(ended_by, limit)).await
    }

    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
        self.within(self.inner.fact_history(user, key)).await
    }

    async fn offer_suggestion(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
        self.within(self.inner.offer_suggestion(offer, limits)).await
    }

    async fn pending_suggestions(&self, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>> {
        self.within(self.inner.pending_suggestions(user, at)).await
    }

    async fn suggestions_received(&self, since: Timestamp, at: Timestamp) -> Stored<Vec<TypeReception>> {
        self.within(self.inner.suggestions_received(since, at)).await
    }

    async fn dismiss_suggestion(
        &self,
        user: UserId,
        id: SuggestionId,
        at: Timestamp,
    ) -> Stored<Option<Suggestion>> {
        self.within(self.inner.dismiss_suggestion(user, id, at)).await
    }

    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        self.within(self.inner.create_reminder(reminder)).await
    }

    async fn reminders(&self, user: UserId) -> Stored<Vec<Reminder>> {
        self.within(self.inner.reminders(user)).await
    }

    async fn reminder(&self, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
        self.within(self.inner.reminder(user, id)).await
    }

    async fn update_reminder(&self, change: ReminderChange) -> Stored<Option<Reminder>> {
        self.within(self.inner.update_reminder(change)).await
    }

    async fn delete_reminder(&self, user: UserId, id: ReminderId, at: Timestamp) -> Stored<bool> {
        self.within(self.inner.delete_reminder(user, id, at)).await
    }

    async fn restore_reminder(&self, restoration: Restoration) -> Stored<RestoreOutcome> {
        self.within(self.inner.restore_reminder(restoration)).await
    }

    async fn roll_back_reminders(&self, rollback: Rollback) -> Stored<Vec<ReminderId>> {
        self.within(self.inner.roll_back_reminders(rollback)).await
    }

    async fn preferences(&self, user: UserId) -> Stored<Preferences> {
        self.within(self.inner.preferences(user)).await
    }

    async fn write_preferences(&self, write: PreferencesWrite) -> Stored<PreferencesOutcome> {
        self.within(self.inner.write_preferences(write)).await
    }

    async fn open_feed(&self, feed: NewFeed) -> Stored<()> {
        self.within(self.inner.open_feed(feed)).await
    }

    async fn close_feed(&self, user: UserId) -> Stored<bool> {
        self.within(self.inner.close_feed(user)).await
    }

    async fn feed(&self, user: UserId) -> Stored<Option<Timestamp>> {
        self.within(self.inner.feed(user)).await
    }

    async fn feed_owner(&self, secret_hash: &str) -> Stored<Option<UserId>> {
        self.within(self.inner.feed_owner(secret_hash)).await
    }
}
