//! A request that is accepted and never answered: not with a status, not with a byte.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Cut, Ending, Marks};

/// Writes nothing at all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unanswered {
    #[serde(default)]
    end: UnansweredEnd,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UnansweredEnd {
    /// The socket stays open.
    #[default]
    Hang,
    /// The connection is reset at once.
    Reset,
}

impl Behaviour for Unanswered {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        answer.head = None;
        let how = match self.end {
            UnansweredEnd::Hang => Ending::Hang,
            UnansweredEnd::Reset => Ending::Cut(Cut::Reset),
        };
        answer.end_at(0, how, marks);
    }
}
