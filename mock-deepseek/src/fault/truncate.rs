//! Events whose JSON stops in the middle.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, During, Kind, Marks};

/// Cuts the JSON of chunks of text; the stream goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Truncate {
    after_events: usize,
    /// How many chunks, `0` for all.
    chunks: usize,
}

impl Behaviour for Truncate {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, During::Content) else { return };
        let limit = if self.chunks == 0 { usize::MAX } else { self.chunks };
        let chunks = answer.pieces[place..].iter_mut().filter(|piece| piece.kind == Kind::Content);
        for piece in chunks.take(limit) {
            piece.payload.truncate(piece.payload.len() * 2 / 3);
            piece.marks = piece.marks | marks;
        }
    }
}
