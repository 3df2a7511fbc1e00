//! What the server remembers, in words of the domain.
//!
//! One trait, two engines: SQLite (embedded default) and PostgreSQL, chosen by the URL. The SQL lies
//! below this module and nowhere else. "Not found" is `None`, never an error. Time always comes in as
//! a parameter; the engines' own clocks are not asked.
//!
//! Invariant: a method that changes two rows changes both or none.

mod access;
mod consents;
mod languages;
pub mod model;
mod patient;
mod spending;
mod sql;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId};
pub use access::AccessStorage;
pub use consents::ConsentStore;
pub use languages::*;
pub use model::*;
pub use patient::Patient;
pub use spending::SpendingStore;
pub use sql::{Database, OpenError, REACH_LIMIT};
pub use words::*;

/// Storage that many parts share.
pub type SharedStorage = Arc<dyn Storage>;

/// The store could not do what was asked; the cause is for the log, not for users.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The engine refused or is gone.
    #[error("database failed: {0}")]
    Engine(#[from] sqlx::Error),
    /// A row holds something that this version cannot read.
    #[error("row of `{table}` holds {problem}")]
    Corrupt {
        /// The table's name.
        table: &'static str,
        /// What was found and what was expected.
        problem: String,
    },
    /// The user has as many as there may be; nothing was added.
    #[error("there are {most} {what} already, and no more may be added")]
    TooMany {
        /// What there is enough of.
        what: &'static str,
        /// How many there may be.
        most: u32,
    },
    /// It is out of reach, or did not answer in time: what it was asked may have happened or not.
    #[error("database is out of reach: {0}")]
    Unavailable(String),
    /// Raised by a store that wraps another one.
    #[error("{0}")]
    Other(String),
}

/// Result of a storage call.
pub type Stored<T> = Result<T, StorageError>;

/// Everything that outlives a process.
///
/// All methods are cancellation-safe: a dropped call either happened whole or not at all.
#[async_trait]
pub trait Storage: AccessStorage + LanguageStore + WordStore + ConsentStore + SpendingStore {
    /// Asks whether the engine answers.
    async fn ping(&self) -> Stored<()>;

    /// Adds a user; `None` when the e-mail address is taken (also under a race).
    async fn create_user(&self, user: NewUser) -> Stored<Option<User>>;
    /// Finds a user and the password hash by normalised e-mail address.
    async fn credentials(&self, email: &str) -> Stored<Option<Credentials>>;
    /// Finds a user.
    async fn user(&self, id: UserId) -> Stored<Option<User>>;

    /// Returns the user's open session, if any.
    async fn open_session(&self, user: UserId) -> Stored<Option<Session>>;
    /// Ends `replacing` (if given) and opens a new session. When another device or replica was
    /// faster, its session is returned instead and nothing changes.
    async fn begin_session(&self, session: NewSession) -> Stored<Session>;
    /// Ends the session; `false` when it had ended already (idempotent).
    async fn end_session(&self, id: SessionId, at: Timestamp) -> Stored<bool>;
    /// Deletes a session of this user, open or not, with all messages in it; `false` when there is none.
    async fn delete_session(&self, user: UserId, id: SessionId) -> Stored<bool>;
    /// Returns the user's sessions, newest first, at most `limit`; only those with a number below `before`, if it is given.
    async fn sessions(&self, user: UserId, before: Option<u32>, limit: u32) -> Stored<Vec<Session>>;
    /// Tells whether this user has this session, open or not.
    async fn has_session(&self, user: UserId, id: SessionId) -> Stored<bool>;
    /// Appends a message to its session, marks the session active at the message's time, and gives the
    /// message its position. `None` where the session of this user has no such place; nothing has changed then.
    async fn append_message(&self, message: NewMessage, place: Place) -> Stored<Option<Message>>;
    /// Appends a question to its session like [`Storage::append_message`], and marks an older one of the same user and its
    /// failed reply as replaced by it.
    async fn replace_message(&self, message: NewMessage, capacity: u32, old: Replaced) -> Stored<Replacing>;
    /// Returns the last messages of a session that may serve as model context (roles of
    /// [`MessageKind::is_context`], none that was replaced), not older than `since`, oldest first, at most `limit`.
    async fn context(&self, session: SessionId, since: Timestamp, limit: u32) -> Stored<Vec<Message>>;
    /// Returns the messages of a session of this user in order, after position `after`, at most `limit`.
    async fn messages(&self, page: Page) -> Stored<Vec<Message>>;
    /// Finds one message.
    async fn message(&self, id: MessageId) -> Stored<Option<Message>>;

    /// Returns the facts valid at `at`, by key, at most [`FACTS_MAX`]. Expired ones are invisible at once.
    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>>;
    /// Returns one fact if it is valid at `at`.
    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>>;
    /// Writes one fact if its stored version is the expected one, and the history row with it. A new one
    /// beside [`FACTS_MAX`] valid ones is [`StorageError::TooMany`].
    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome>;
    /// Closes one fact if it is valid and its stored version is the expected one, and writes the end into
    /// its history with it. A new value may be written later; its versions go on.
    async fn close_fact(&self, closing: FactClosing) -> Stored<FactOutcome>;
    /// Returns every value that the fact ever had, oldest first; of more than [`HISTORY_MAX`] the newest.
    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>>;
    /// Deletes facts that had ended by then, with their histories: at most `limit`, those that ended first. Returns how
    /// many.
    async fn purge_facts(&self, ended_by: Timestamp, limit: u32) -> Stored<usize>;

    /// Stores a suggestion if the limits allow one now.
    async fn offer_suggestion(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered>;
    /// Returns the suggestions that can still be confirmed at `at`, oldest first.
    async fn pending_suggestions(&self, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>>;
    /// Returns how suggestions that were made after `since` were received by `at`, those of each type that there were.
    async fn suggestions_received(&self, since: Timestamp, at: Timestamp) -> Stored<Vec<TypeReception>>;
    /// Turns a suggestion down; `None` when there is no pending one with this id at `at`.
    async fn dismiss_suggestion(
        &self,
        user: UserId,
        id: SuggestionId,
        at: Timestamp,
    ) -> Stored<Option<Suggestion>>;

    /// Creates a reminder; with a suggestion id it also confirms that suggestion, exactly once, in the
    /// same transaction. One more than [`REMINDERS_MAX`] is [`StorageError::TooMany`].
    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome>;
    /// Returns the user's reminders by time, at most [`REMINDERS_MAX`].
    async fn reminders(&self, user: UserId) -> Stored<Vec<Reminder>>;
    /// Finds a reminder of this user.
    async fn reminder(&self, user: UserId, id: ReminderId) -> Stored<Option<Reminder>>;
    /// Changes a reminder of this user, which is the user's own from then on, whoever made it; `None` when there is
    /// none with this id.
    async fn update_reminder(&self, change: ReminderChange) -> Stored<Option<Reminder>>;
    /// Deletes a reminder of this user; `false` when there is none with this id. It can be brought back for a
    /// while, and what it said is kept no longer than that.
    async fn delete_reminder(&self, user: UserId, id: ReminderId, at: Timestamp) -> Stored<bool>;
    /// Brings a deleted reminder back. One more than [`REMINDERS_MAX`] is [`StorageError::TooMany`].
    async fn restore_reminder(&self, restoration: Restoration) -> Stored<RestoreOutcome>;
    /// Deletes the reminders that the server has made and their user has not touched since, and returns which.
    async fn roll_back_reminders(&self, rollback: Rollback) -> Stored<Vec<ReminderId>>;

    /// Returns the choices of a user; the defaults where nothing is stored.
    async fn preferences(&self, user: UserId) -> Stored<Preferences>;
    /// Stores the choices of a user, if the expected version is stored.
    async fn write_preferences(&self, write: PreferencesWrite) -> Stored<PreferencesOutcome>;

    /// Opens the calendar feed of a user in place of an earlier one.
    async fn open_feed(&self, feed: NewFeed) -> Stored<()>;
    /// Closes the calendar feed of a user; `false` when there is none.
    async fn close_feed(&self, user: UserId) -> Stored<bool>;
    /// Tells since when the user has a calendar feed; `None` when there is none.
    async fn feed(&self, user: UserId) -> Stored<Option<Timestamp>>;
    /// Finds whose calendar feed this is.
    async fn feed_owner(&self, secret_hash: &str) -> Stored<Option<UserId>>;
}
