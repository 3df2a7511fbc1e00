//! The rows that storage hands out and takes in, as plain values.
//!
//! They carry no behaviour beyond what their words mean; policies live in their own modules.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId};

/// A registered person, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Normalised (trimmed, lower-case) e-mail address, unique.
    pub email: String,
    /// What the user wants to be called; empty when not given.
    pub display_name: String,
    /// The preferred language, an enabled code or not: it is resolved at use.
    pub language: String,
    /// Whether the user may administrate.
    pub is_admin: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The user as it will be stored.
    pub user: User,
    /// argon2id hash in PHC form.
    pub password_hash: String,
}

/// A user with what proves who it is.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// argon2id hash in PHC form.
    pub password_hash: String,
}

/// A language of the user-facing texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Language {
    /// ISO 639-1 code, two lower-case letters.
    pub code: String,
    /// English name.
    pub name: String,
    /// Its own name.
    pub native_name: String,
    /// Whether users may get it.
    pub is_enabled: bool,
    /// Whether its texts may be incomplete.
    pub is_experimental: bool,
}

/// Why a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionReason {
    /// The user's first message ever.
    First,
    /// More than the idle limit had passed.
    Idle,
    /// The session before was full.
    Length,
    /// The user had ended the session before.
    Ended,
}

/// One conversation session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Why it was opened.
    pub reason: SessionReason,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When the last message (of either side) was stored in it; `started_at` before the first.
    pub active_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// Number of stored messages.
    pub messages: u32,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Why it is opened.
    pub reason: SessionReason,
    /// When.
    pub at: Timestamp,
    /// The open session that it takes the place of.
    pub replacing: Option<SessionId>,
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user.
    User,
    /// The server.
    Assistant,
}

/// What a stored message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// What a user said.
    Said,
    /// A whole answer of the model.
    Answer,
    /// The part of an answer that had been shown when the model failed.
    Interrupted,
    /// A text in place of an answer.
    Fallback,
    /// A red-flag notice.
    Safety,
}

impl MessageKind {
    /// Returns whether the model may see messages of this kind as history (F26).
    pub const fn is_context(self) -> bool {
        matches!(self, Self::Said | Self::Answer)
    }
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Whose conversation it is.
    pub user: UserId,
    /// Place in the session, from 1, without gaps.
    pub position: u32,
    /// Who said it.
    pub role: Role,
    /// What it is.
    pub kind: MessageKind,
    /// The language it was handled in.
    pub language: String,
    /// The text.
    pub text: String,
    /// When it was stored.
    pub at: Timestamp,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Whose conversation it is.
    pub user: UserId,
    /// What it is; the role follows from it.
    pub kind: MessageKind,
    /// The language it was handled in.
    pub language: String,
    /// The text.
    pub text: String,
    /// When it was said.
    pub at: Timestamp,
}

impl NewMessage {
    /// Returns who says a message of this kind.
    pub const fn role(&self) -> Role {
        match self.kind {
            MessageKind::Said => Role::User,
            _ => Role::Assistant,
        }
    }
}

/// A stretch of a session's messages.
#[derive(Clone, Debug)]
pub struct Page {
    /// Whose session it must be.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Only messages after this position.
    pub after: u32,
    /// At most so many.
    pub limit: u32,
}

/// Where a fact comes from; a higher rank wins over a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    /// Found in what the user said in chat.
    Extracted,
    /// Written by the user through the API.
    UserEdit,
}

/// Something known about a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Whose it is.
    pub user: UserId,
    /// What it is about, `[a-z][a-z0-9_]*`, at most 100 characters.
    pub key: String,
    /// The value, as text.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it comes from.
    pub source: FactSource,
    /// Counts up by one with each write, from 1.
    pub version: i64,
    /// When this value was written.
    pub updated_at: Timestamp,
    /// When it ceases to hold by itself, if ever.
    pub expires_at: Option<Timestamp>,
}

/// What a writer believes to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing, or something expired.
    Absent,
    /// This version.
    Version(i64),
}

/// A fact to be written.
#[derive(Clone, Debug)]
pub struct FactWrite {
    /// Whose it is.
    pub user: UserId,
    /// What it is about.
    pub key: String,
    /// The new value.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it comes from.
    pub source: FactSource,
    /// When it is written.
    pub at: Timestamp,
    /// When it ceases to hold by itself, if ever.
    pub expires_at: Option<Timestamp>,
    /// What the writer believes to be stored.
    pub expected: Expected,
}

/// What became of a [`FactWrite`].
#[derive(Clone, Debug, PartialEq)]
pub enum FactOutcome {
    /// It is stored.
    Written(Fact),
    /// Something else is stored (or nothing, though a version was expected); nothing has changed.
    Conflict(Option<Fact>),
}

/// A value that a fact once had.
#[derive(Clone, Debug, PartialEq)]
pub struct FactRevision {
    /// The version that this write made.
    pub version: i64,
    /// The value.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it came from.
    pub source: FactSource,
    /// When it was written.
    pub at: Timestamp,
}

/// What kind of entry is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionType {
    /// Look at a symptom again.
    SymptomFollowup,
    /// See somebody.
    Appointment,
}

/// How pressing a proposed entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// May wait.
    Low,
    /// Some day soon.
    Medium,
    /// Within a day.
    High,
    /// Now.
    Urgent,
}

/// A proposed calendar entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its id, the same as in the frame to the user.
    pub id: SuggestionId,
    /// Whose it is.
    pub user: UserId,
    /// What kind of entry.
    pub kind: SuggestionType,
    /// How pressing.
    pub priority: Priority,
    /// Short text.
    pub title: String,
    /// Long text.
    pub description: String,
    /// The proposed time of the entry.
    pub suggested_time: Timestamp,
    /// When it was proposed.
    pub suggested_at: Timestamp,
    /// Until when it can be confirmed (exclusive).
    pub expires_at: Timestamp,
    /// When the user confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// When the user turned it down.
    pub dismissed_at: Option<Timestamp>,
    /// The reminder that the confirmation made.
    pub reminder: Option<ReminderId>,
}

/// A suggestion to be stored.
#[derive(Clone, Debug)]
pub struct NewSuggestion {
    /// Its id.
    pub id: SuggestionId,
    /// Whose it is.
    pub user: UserId,
    /// What kind of entry.
    pub kind: SuggestionType,
    /// How pressing.
    pub priority: Priority,
    /// Short text.
    pub title: String,
    /// Long text.
    pub description: String,
    /// The proposed time of the entry.
    pub suggested_time: Timestamp,
    /// When it is proposed.
    pub at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// How many suggestions a user may get (F78).
#[derive(Clone, Copy, Debug)]
pub struct SuggestionLimits {
    /// At most so many in the hour before now.
    pub per_hour: u32,
    /// At most so many in the 24 hours before now.
    pub per_day: u32,
    /// At most so many of one type that are still pending.
    pub pending_per_type: u32,
}

/// What became of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It is stored and may be shown.
    Stored(Suggestion),
    /// One of this type is still pending.
    Pending,
    /// The hour's limit is reached.
    HourFull,
    /// The day's limit is reached.
    DayFull,
}

/// A calendar entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Its id.
    pub id: ReminderId,
    /// Whose it is.
    pub user: UserId,
    /// Short text, 1 to 255 characters.
    pub title: String,
    /// Long text; empty when not given.
    pub description: String,
    /// When to remind.
    pub time: Timestamp,
    /// The offset from UTC, in minutes, in which the user gave `time`.
    pub offset_minutes: i32,
    /// Whether it is done.
    pub is_completed: bool,
    /// The suggestion that it came from.
    pub suggestion: Option<SuggestionId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A calendar entry to be made.
#[derive(Clone, Debug)]
pub struct NewReminder {
    /// Its id.
    pub id: ReminderId,
    /// Whose it is.
    pub user: UserId,
    /// Short text.
    pub title: String,
    /// Long text.
    pub description: String,
    /// When to remind.
    pub time: Timestamp,
    /// The offset from UTC, in minutes, in which the user gave `time`.
    pub offset_minutes: i32,
    /// The suggestion that it confirms.
    pub suggestion: Option<SuggestionId>,
    /// When it is made.
    pub at: Timestamp,
}

/// What became of a [`NewReminder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReminderOutcome {
    /// It is stored.
    Created(Reminder),
    /// There is no such suggestion, or it is somebody else's.
    UnknownSuggestion,
    /// The suggestion has expired or was turned down.
    ExpiredSuggestion,
    /// The suggestion was confirmed before, by this reminder.
    UsedSuggestion(ReminderId),
}

/// A change of a calendar entry; `None` leaves a field as it is.
#[derive(Clone, Debug)]
pub struct ReminderChange {
    /// Which.
    pub id: ReminderId,
    /// Whose it must be.
    pub user: UserId,
    /// New short text.
    pub title: Option<String>,
    /// New long text.
    pub description: Option<String>,
    /// New time, and the offset in minutes that it was given in.
    pub time: Option<(Timestamp, i32)>,
    /// Whether it is done.
    pub is_completed: Option<bool>,
    /// When it is changed.
    pub at: Timestamp,
}
