//! A head that tells the length of the body in two ways.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Framing, Marks};

/// Announces the length of the body and sends it in chunks all the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TwoLengths {}

impl Behaviour for TwoLengths {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let length: usize = answer.pieces.iter().map(|piece| piece.bytes().len()).sum();
        let Some(head) = &mut answer.head else { return };
        head.framing = Framing::Chunked;
        head.set("content-length", Some(&length.to_string()));
        head.marks = head.marks | marks;
    }
}
