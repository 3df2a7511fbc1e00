//! Suggestions.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ReminderId, SuggestionId, UserId};

/// What kind of entry is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionType {
    /// Look at a symptom again.
    SymptomFollowup,
    /// See somebody.
    Appointment,
    /// Think of something.
    Reminder,
}

impl SuggestionType {
    /// Returns the type as v0 has it, which knows two: what is neither about a symptom is an appointment.
    #[must_use]
    pub const fn on_v0(self) -> Self {
        match self {
            Self::SymptomFollowup => Self::SymptomFollowup,
            Self::Appointment | Self::Reminder => Self::Appointment,
        }
    }
}

/// How pressing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// How many suggestions a user may get (F78, F80).
#[derive(Clone, Copy, Debug)]
pub struct SuggestionLimits {
    /// At most so many in the hour before now.
    pub per_hour: u32,
    /// At most so many in the 24 hours before now.
    pub per_day: u32,
    /// At most so many of one type that are still pending.
    pub pending_per_type: u32,
    /// None beside so many reminders that came from suggestions, lie ahead and are not done.
    pub open_reminders: u32,
    /// None for a while after so many in a row got no answer.
    pub ignored_in_row: u32,
    /// How long that while is, from the end of the last one.
    pub pause: Duration,
}

impl SuggestionLimits {
    /// Returns until when there are none, seen from those that are over, newest first. One that was turned
    /// down was answered: only silence counts.
    pub fn paused_until(&self, over: &[Suggestion]) -> Option<Timestamp> {
        let in_row = usize::try_from(self.ignored_in_row).unwrap_or(usize::MAX);
        let is_ignored =
            |suggestion: &Suggestion| suggestion.confirmed_at.is_none() && suggestion.dismissed_at.is_none();
        let ignored = over.iter().take(in_row).filter(|suggestion| is_ignored(suggestion)).count();
        let last = over.first().filter(|_| ignored == in_row)?;
        Some(last.expires_at.saturating_add(self.pause).unwrap_or(Timestamp::MAX))
    }
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
    /// As many reminders from suggestions as there may be are open.
    OpenFull,
    /// Too many in a row were ignored.
    Paused,
}
