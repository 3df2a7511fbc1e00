//! Storage on SQLite and PostgreSQL through one set of SQL texts.
//!
//! Each kind of row has its file below. What is written goes through [`Database::write`] or [`Database::at_once`]: always
//! a transaction, so that a caller hears of a row only when it is committed. SQLite has one writer at a
//! time, and writers queue in order of arrival instead of meeting a locked file; PostgreSQL
//! takes row locks by conditional updates.
//!
//! Invariant: none of the texts asks an engine for the time. None exists twice or uses what only one of the engines knows,
//! but for the beginning of transactions, SQLite's log, and what is done often and therefore by one call: storing messages,
//! and changing facts. No parameter stands alone behind LIMIT: SQLite's plan may depend on its value, so that it would
//! prepare the text anew each time.

mod access;
mod api_keys;
mod audit;
mod blocks;
mod calls;
mod checkpoints;
mod connections;
mod consents;
mod devices;
mod factors;
mod facts;
mod feeds;
mod language_choices;
mod languages;
mod messages;
mod open;
mod preferences;
mod reminders;
mod replies;
mod row;
mod sessions;
mod spending;
mod suggestions;
mod texts;
mod tickets;
mod users;
mod words;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Credentials, Fact, FactClosing, FactOutcome, FactRevision, FactWrite, Message, NewFeed, NewMessage,
    NewReminder, NewSession, NewSuggestion, NewUser, Offered, Page, Place, Preferences, PreferencesOutcome,
    PreferencesWrite, Reminder, ReminderChange, ReminderOutcome, Replaced, Replacing, Restoration,
    RestoreOutcome, Rollback, Session, Storage, Stored, Suggestion, SuggestionLimits, TypeReception, User,
};
use crate::ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId};
use calls::{Read as _, Tx};
use checkpoints::Checkpoints;
use connections::Connections;
use open::{Engine, FileLock};
pub use open::{OpenError, REACH_LIMIT};

/// The rows of one server, in SQLite or PostgreSQL. `Clone` shares the connections.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Engine,
    readers: Connections,
    /// The same as `readers` on PostgreSQL; a single one on SQLite.
    writers: Connections,
    /// SQLite's alone.
    checkpoints: Option<Checkpoints>,
    lock: FileLock,
}

impl Database {
    /// Closes all connections, after what they do now, and lets go of the file. Later calls fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
        self.lock.release();
    }
}

#[async_trait]
impl Storage for Database {
    async fn ping(&self) -> Stored<()> {
        sqlx::query("SELECT 1").first(self).await?;
        Ok(())
    }

    async fn create_user(&self, user: NewUser) -> Stored<Option<User>> {
        users::create(self, user).await
    }

    async fn credentials(&self, email: &str) -> Stored<Option<Credentials>> {
        users::credentials(self, email).await
    }

    async fn user(&self, id: UserId) -> Stored<Option<User>> {
        users::find(self, id).await
    }

    async fn open_session(&self, user: UserId) -> Stored<Option<Session>> {
        sessions::open(self, user).await
    }

    async fn begin_session(&self, session: NewSession) -> Stored<Session> {
        sessions::begin(self, session).await
    }

    async fn end_session(&self, id: SessionId, at: Timestamp) -> Stored<bool> {
        sessions::end(self, id, at).await
    }

    async fn delete_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        sessions::delete(self, user, id).await
    }

    async fn sessions(&self, user: UserId, before: Option<u32>, limit: u32) -> Stored<Vec<Session>> {
        sessions::list(self, user, before, limit).await
    }

    async fn has_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        sessions::exists(self, user, id).await
    }

    async fn append_message(&self, message: NewMessage, place: Place) -> Stored<Option<Message>> {
        messages::append(self, message, place).await
    }

    async fn replace_message(&self, message: NewMessage, capacity: u32, old: Replaced) -> Stored<Replacing> {
        messages::replace(self, message, capacity, old).await
    }

    async fn context(&self, session: SessionId, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        messages::context(self, session, since, limit).await
    }

    async fn messages(&self, page: Page) -> Stored<Vec<Message>> {
        messages::page(self, page).await
    }

    async fn message(&self, id: MessageId) -> Stored<Option<Message>> {
        messages::find(self, id).await
    }

    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        facts::valid(self, user, at).await
    }

    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
        facts::find(self, user, key, at).await
    }

    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome> {
        facts::write(self, write).await
    }

    async fn close_fact(&self, closing: FactClosing) -> Stored<FactOutcome> {
        facts::close(self, closing).await
    }

    async fn purge_facts(&self, ended_by: Timestamp, limit: u32) -> Stored<usize> {
        facts::purge(self, ended_by, limit).await
    }

    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
        facts::history(self, user, key).await
    }

    async fn offer_suggestion(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
        suggestions::offer(self, offer, limits).await
    }

    async fn pending_suggestions(&self, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>> {
        suggestions::pending(self, user, at).await
    }

    async fn suggestions_received(&self, since: Timestamp, at: Timestamp) -> Stored<Vec<TypeReception>> {
        suggestions::received(self, since, at).await
    }

    async fn dismiss_suggestion(
        &self,
        user: UserId,
        id: SuggestionId,
        at: Timestamp,
    ) -> Stored<Option<Suggestion>> {
        suggestions::dismiss(self, user, id, at).await
    }

    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        reminders::create(self, reminder).await
    }

    async fn reminders(&self, user: UserId) -> Stored<Vec<Reminder>> {
        reminders::list(self, user).await
    }

    async fn reminder(&self, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
        reminders::find(self, user, id).await
    }

    async fn update_reminder(&self, change: ReminderChange) -> Stored<Option<Reminder>> {
        reminders::update(self, change).await
    }

    async fn delete_reminder(&self, user: UserId, id: ReminderId, at: Timestamp) -> Stored<bool> {
        reminders::delete(self, (user, id), at).await
    }

    async fn restore_reminder(&self, restoration: Restoration) -> Stored<RestoreOutcome> {
        reminders::restore(self, restoration).await
    }

    async fn roll_back_reminders(&self, rollback: Rollback) -> Stored<Vec<ReminderId>> {
        reminders::roll_back(self, rollback).await
    }

    async fn preferences(&self, user: UserId) -> Stored<Preferences> {
        preferences::read(self, user).await
    }

    async fn write_preferences(&self, write: PreferencesWrite) -> Stored<PreferencesOutcome> {
        preferences::write(self, write).await
    }

    async fn open_feed(&self, feed: NewFeed) -> Stored<()> {
        feeds::open(self, feed).await
    }

    async fn close_feed(&self, user: UserId) -> Stored<bool> {
        feeds::close(self, user).await
    }

    async fn feed(&self, user: UserId) -> Stored<Option<Timestamp>> {
        feeds::since(self, user).await
    }

    async fn feed_owner(&self, secret_hash: &str) -> Stored<Option<UserId>> {
        feeds::owner(self, secret_hash).await
    }
}
