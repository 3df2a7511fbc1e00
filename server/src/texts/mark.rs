//! Whether a text was read by somebody who speaks its language from birth.

use serde::Serialize;

/// The mark of a text. Whoever changes a text that was reviewed sets it back to [`Mark::Unreviewed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Mark {
    /// Written with care, and read by nobody who speaks the language from birth.
    Unreviewed,
    /// Read and approved.
    Reviewed {
        /// By whom.
        by: &'static str,
        /// On which day, such as `2026-11-29`.
        on: &'static str,
    },
}
