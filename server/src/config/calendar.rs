//! Section `[calendar]`: suggestions and reminders (F73, F74, F76, F78 to F80, F84, F87).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::span;

/// Rules of calendar suggestions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calendar {
    /// Whether the server proposes entries at all.
    pub suggestions: bool,
    /// How long a suggestion can be confirmed.
    #[serde(with = "span")]
    pub suggestion_life: Duration,
    /// Suggestions per user in one hour.
    pub per_hour: u32,
    /// Suggestions per user in 24 hours.
    pub per_day: u32,
    /// Pending suggestions per user and type.
    pub pending_per_type: u32,
    /// Reminders from suggestions that a user may have open; beside so many nothing is proposed.
    pub open_reminders: u32,
    /// Suggestions without an answer, one after the other, after which there is a pause.
    pub ignored_in_row: u32,
    /// How long that pause is.
    #[serde(with = "span")]
    pub ignored_pause: Duration,
    /// Least quality score of a type of suggestions, below which a user gets no more of it; 0 holds none back, and more than
    /// 0.5 would hold back all, for that is the score of a type that nobody was offered yet.
    pub quality_min: f64,
    /// For so long it is remembered how a user received suggestions of a type.
    #[serde(with = "span")]
    pub quality_window: Duration,
    /// How far apart proposals are put from other entries, where the user wants that.
    #[serde(with = "span")]
    pub slot: Duration,
    /// How long a deleted reminder can be brought back, and one of the server's making rolled back.
    #[serde(with = "span")]
    pub undo_window: Duration,
    /// How long the reply to a request with an `Idempotency-Key` is kept.
    #[serde(with = "span")]
    pub reply_life: Duration,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            suggestions: true,
            suggestion_life: Duration::from_mins(5),
            per_hour: 3,
            per_day: 10,
            pending_per_type: 1,
            open_reminders: 20,
            ignored_in_row: 3,
            ignored_pause: Duration::from_hours(24),
            quality_min: 0.15,
            quality_window: Duration::from_hours(30 * 24),
            slot: Duration::from_mins(30),
            undo_window: Duration::from_hours(24),
            reply_life: Duration::from_hours(24),
        }
    }
}
