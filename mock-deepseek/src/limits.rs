//! The bounds of one mock that its builder may move.

use crate::{BODY_MAX, CONNECTIONS_MAX};

/// Bounds, each with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longest request body.
    pub(crate) body: usize,
    /// The most connections at once.
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: BODY_MAX, connections: CONNECTIONS_MAX }
    }
}
