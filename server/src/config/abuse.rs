//! Section `[limits.abuse]`: what happens to those who go on after they were refused (F9).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::span;

/// The ladder: refused, closed, kept out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Abuse {
    /// So many refused frames of one user within `window`, over all sockets of a process, close the socket of the
    /// last one: a strike.
    pub rejections: usize,
    /// See `rejections`.
    #[serde(with = "span")]
    pub window: Duration,
    /// So many strikes within `strike_life` keep the user out.
    pub strikes: usize,
    /// See `strikes`.
    #[serde(with = "span")]
    pub strike_life: Duration,
    /// How long a user is kept out.
    #[serde(with = "span")]
    pub block: Duration,
}

impl Default for Abuse {
    fn default() -> Self {
        Self {
            rejections: 300,
            window: Duration::from_mins(1),
            strikes: 2,
            strike_life: Duration::from_hours(1),
            block: Duration::from_mins(15),
        }
    }
}
