//! Suggestions and reminders.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{ReminderId, SuggestionId, UserId};

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

/// How many reminders a user may have, done ones included: three a day for a whole year.
pub const REMINDERS_MAX: u32 = 1000;

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
