//! Says when each piece of a sound answer is due.
//!
//! Pauses stand before pieces and are relative, so that faults may put their own between them.
//! Invariant: pacing changes no byte. It does not wait; the [writer](crate::write) does.

use std::time::Duration;

use crate::{answer::Kind, script::Pace};

/// The pauses of one answer, asked for in the order of its pieces.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    spoke: bool,
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, spoke: false }
    }

    /// Returns the pause before the next event of a stream.
    pub(crate) fn before(&mut self, kind: Kind) -> Duration {
        match kind {
            Kind::Role => self.pace.first_token,
            Kind::Reasoning | Kind::Content if std::mem::replace(&mut self.spoke, true) => self.pace.gap,
            _ => Duration::ZERO,
        }
    }

    /// Returns the pause before a reply that comes at once, when all its tokens have been made.
    pub(crate) fn whole(&self, tokens: usize) -> Duration {
        let gaps = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
        self.pace.first_token + self.pace.gap.saturating_mul(gaps)
    }
}
