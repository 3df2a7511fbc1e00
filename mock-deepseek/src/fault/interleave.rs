//! Two events whose bytes are mixed, as when two writers share a stream without a lock.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, During, Kind, Marks, Piece};

/// Writes a chunk of text in the middle of the one before it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interleave {
    after_events: usize,
}

impl Behaviour for Interleave {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(outer) = answer.place_after(self.after_events, During::Content) else { return };
        let inner = outer + 1;
        let are_text = |pieces: &[Piece]| pieces.iter().all(|piece| piece.kind == Kind::Content);
        if !answer.pieces.get(outer..=inner).is_some_and(are_text) {
            return;
        }
        let half = answer.pieces[outer].bytes().len() / 2;
        answer.split(outer, half, Duration::ZERO);
        // Front of the first, the second, back of the first.
        answer.pieces.swap(outer + 1, inner + 1);
        for piece in &mut answer.pieces[outer..=inner + 1] {
            piece.marks = piece.marks | marks;
        }
    }
}
