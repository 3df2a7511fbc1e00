//! An event that is longer than line readers expect.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, During, Marks},
    render::quoted,
};

/// The longest event that may be asked for.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Makes one chunk of text huge by repeating it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Huge {
    after_events: usize,
    bytes: usize,
}

impl Behaviour for Huge {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, During::Content) else { return };
        let text = " word".repeat(self.bytes.min(BYTES_MAX).div_ceil(5));
        let payload = match &answer.envelope {
            Some(envelope) => Some(envelope.content(&quoted(&text))),
            None => answer.pieces.get(place).and_then(|piece| piece.saying(&text)),
        };
        let Some(payload) = payload else { return };
        let Some(piece) = answer.pieces.get_mut(place) else { return };
        piece.payload = payload;
        piece.marks = piece.marks | marks;
    }
}
