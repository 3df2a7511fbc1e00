//! A proxy between mock and client that keeps the whole reply until it is complete.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Marks},
    duration,
};

/// Holds everything back, the head too, until the last byte would be due; then writes it at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Burst {
    /// How long the reply takes at least.
    #[serde(deserialize_with = "duration::deserialize")]
    lasts: Duration,
}

impl Behaviour for Burst {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        let waits = answer.pieces.iter_mut().map(|piece| std::mem::take(&mut piece.wait));
        let due = waits.fold(head.wait, Duration::saturating_add);
        head.hold_back(due.max(self.lasts), marks);
    }
}
