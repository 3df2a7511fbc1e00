//! Progress so slow that limits per read never see it.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Kind, Marks, Piece},
    duration,
};

/// Slows every part of the body down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drip {
    unit: Unit,
    #[serde(deserialize_with = "duration::deserialize")]
    every: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Byte,
    Event,
}

/// The most drips of one answer; of a longer one, more than a byte comes at a time.
const DRIPS_MAX: usize = 100_000;

impl Behaviour for Drip {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        if self.unit == Unit::Byte || answer.pieces.iter().all(|piece| !piece.is_event()) {
            let length: usize = answer.pieces.iter().map(Piece::len).sum();
            let step = length.div_ceil(DRIPS_MAX).max(1);
            answer.pieces = answer.pieces.drain(..).flat_map(|piece| stepwise(piece, step)).collect();
        }
        for piece in answer.pieces.iter_mut().filter(|piece| piece.len() > 0).skip(1) {
            piece.wait = piece.wait.max(self.every);
            piece.marks = piece.marks | marks;
        }
    }
}

/// Cuts a piece into so many bytes each; the last part keeps the meaning of the whole.
fn stepwise(piece: Piece, step: usize) -> Vec<Piece> {
    let mut left = Bytes::from(piece.bytes());
    let mut pieces = Vec::with_capacity(left.len() / step + 1);
    while left.len() > step {
        let part = left.split_to(step);
        pieces.push(Piece { wrapping: piece.wrapping, ..Piece::raw(Kind::Fragment, part) });
    }
    let payload = left;
    pieces.push(Piece { name: "", open: "", payload, close: "", ..piece });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, answer::Form, pace::Pacing, transcript};

    #[test]
    fn a_long_answer_comes_in_larger_drips() {
        let faults =
            ["huge-line;bytes=1000000", "token-drip;unit=byte"].map(|fault| Fault::parse(fault).unwrap());

        let answer = transcript::sample(Form::Stream, &faults, Pacing::default());

        let (pieces, length) = (answer.pieces.len(), answer.pieces.iter().map(Piece::len).sum::<usize>());
        assert!((DRIPS_MAX / 2..2 * DRIPS_MAX).contains(&pieces) && length > 1_000_000, "{pieces} {length}");
    }
}
