//! A request that is accepted and never answered.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Ending, Marks};

/// Writes nothing at all and keeps the socket open.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unanswered {}

impl Behaviour for Unanswered {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        answer.head = None;
        answer.end_at(0, Ending::Hang, marks);
    }
}
