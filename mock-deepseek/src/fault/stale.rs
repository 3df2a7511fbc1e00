//! A connection that is promised to live on and is dead for the next request.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, End, Ending, Marks};

/// Lets the connection die when the next request comes on it, without a byte.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stale {
    end: StaleEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StaleEnd {
    Closed,
    Reset,
}

impl Behaviour for Stale {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        if let Ending::Complete = answer.end.how {
            let how = Ending::Stale { reset: self.end == StaleEnd::Reset };
            answer.end = End { how, marks: answer.end.marks | marks };
        }
    }
}
