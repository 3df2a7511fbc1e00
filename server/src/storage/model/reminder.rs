//! Reminders.

use jiff::Timestamp;
use serde::Serialize;

use super::{Priority, SuggestionType};
use crate::ids::{ReminderId, SuggestionId, UserId};

/// How many reminders a user may have, done ones included: three a day for a whole year.
pub const REMINDERS_MAX: u32 = 1000;

/// Longest time for which a deleted reminder can be brought back, in hours, whatever the settings say.
pub const UNDO_HOURS_MAX: i64 = 7 * 24;

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
    /// How pressing.
    pub priority: Priority,
    /// Who made it.
    pub origin: Origin,
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
    /// How pressing; as its suggestion when not given, else medium.
    pub priority: Option<Priority>,
    /// Who makes it.
    pub origin: Origin,
    /// The suggestion that it confirms.
    pub suggestion: Option<SuggestionId>,
    /// Which suggestions it cannot confirm, as its user has not confirmed the time; `None` where that was done.
    pub unconfirmed: Option<TimeRule>,
    /// The request that makes it, if it may be repeated.
    pub request: Option<Request>,
    /// When it is made.
    pub at: Timestamp,
}

/// Who made a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Its user, by hand, by confirming a suggestion, or by changing what the server had made.
    User,
    /// The server, for a user who has asked for that (F81); only of low priority.
    Policy,
}

/// Which suggestions become a reminder only with a time that the user has confirmed (F77, F82).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRule {
    /// Appointments: somebody else waits at that time.
    pub appointments: bool,
    /// Whatever is urgent.
    pub urgent: bool,
}

impl TimeRule {
    /// Returns whether such a suggestion needs a confirmed time.
    pub fn asks(self, kind: SuggestionType, priority: Priority) -> bool {
        (self.appointments && kind == SuggestionType::Appointment)
            || (self.urgent && priority == Priority::Urgent)
    }
}

/// A request that its client may repeat without making a second reminder.
#[derive(Clone, Debug)]
pub struct Request {
    /// The key that the client has chosen.
    pub key: String,
    /// A hash of what is asked for: the same key with another one is a mistake.
    pub fingerprint: String,
    /// Since when replies are kept; older ones are forgotten.
    pub kept_since: Timestamp,
    /// Makes the reply that is kept and comes again.
    pub reply: fn(&Reminder) -> String,
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
    /// The suggestion needs a time that the user has confirmed.
    UnconfirmedTime,
    /// The request was answered before, with this reply.
    Repeated(String),
    /// The request's key was used before for something else.
    OtherRequest,
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
    /// How pressing.
    pub priority: Option<Priority>,
    /// When it is changed.
    pub at: Timestamp,
}

/// A deleted reminder that shall be there again.
#[derive(Clone, Copy, Debug)]
pub struct Restoration {
    /// Which.
    pub id: ReminderId,
    /// Whose it must be.
    pub user: UserId,
    /// Since when it must have been deleted.
    pub deleted_since: Timestamp,
}

/// What became of a [`Restoration`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreOutcome {
    /// It is there, as it was, and its user's own; also if it had not been deleted.
    There(Reminder),
    /// It was deleted too long ago.
    TooLate,
    /// There was none with this id.
    Unknown,
}

/// Reminders of the server's making that shall go.
#[derive(Clone, Copy, Debug)]
pub struct Rollback {
    /// Whose.
    pub user: UserId,
    /// Made since then.
    pub made_since: Timestamp,
    /// Only this one.
    pub only: Option<ReminderId>,
    /// When it is asked for.
    pub at: Timestamp,
}
