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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SymptomFollowup, Self::Appointment, Self::Reminder];

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
    /// None of a type of less quality than this, from 0 to 1.
    pub quality_min: f64,
    /// For so long it is remembered how those of a type were received.
    pub quality_window: Duration,
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

/// How suggestions of one type were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// Became reminders.
    pub confirmed: u32,
    /// Were turned down.
    pub dismissed: u32,
    /// Expired without an answer.
    pub ignored: u32,
}

impl Reception {
    /// Returns the quality score of the type, from 0 to 1: how likely the next one is confirmed, by Laplace's rule of
    /// succession. Of nothing known it is one half.
    pub fn quality(self) -> f64 {
        let [confirmed, dismissed, ignored] = [self.confirmed, self.dismissed, self.ignored].map(f64::from);
        (confirmed + 1.0) / (confirmed + dismissed + ignored + 2.0)
    }
}

/// How suggestions of one type were received by all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeReception {
    /// The type.
    pub kind: SuggestionType,
    /// How many can still be answered.
    pub pending: u32,
    /// What became of the others.
    pub over: Reception,
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
    /// The user hardly ever wants one of this type.
    Unwanted,
    /// Too many in a row were ignored.
    Paused,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_confirmation_raises_the_quality_and_everything_else_lowers_it_f80(
            confirmed in 0..1000_u32, dismissed in 0..1000_u32, ignored in 0..1000_u32,
        ) {
            let now = Reception { confirmed, dismissed, ignored };
            let confirmed = Reception { confirmed: confirmed + 1, ..now }.quality();
            let dismissed = Reception { dismissed: dismissed + 1, ..now }.quality();
            let ignored = Reception { ignored: ignored + 1, ..now }.quality();

            prop_assert!(0.0 < now.quality() && now.quality() < 1.0);
            prop_assert!(confirmed > now.quality());
            prop_assert!(dismissed < now.quality());
            prop_assert!(ignored < now.quality());
        }
    }
}
