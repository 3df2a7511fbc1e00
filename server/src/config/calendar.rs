//! Section `[calendar]`: suggestions (F73, F74, F78).

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
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            suggestions: true,
            suggestion_life: Duration::from_mins(5),
            per_hour: 3,
            per_day: 10,
            pending_per_type: 1,
        }
    }
}
