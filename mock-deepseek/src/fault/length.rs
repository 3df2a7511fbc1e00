//! A `Content-Length` below what is sent.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Framing, Marks};

/// Announces only a share of the body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Length {
    percent: u8,
}

impl Behaviour for Length {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        head.framing = Framing::ShortLength(self.percent.min(100));
        head.marks = head.marks | marks;
    }
}
