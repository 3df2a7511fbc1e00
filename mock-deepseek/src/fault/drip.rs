//! Progress so slow that limits per read never see it.

use std::time::Duration;

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

impl Behaviour for Drip {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        if self.unit == Unit::Byte || answer.pieces.iter().all(|piece| !piece.is_event()) {
            answer.pieces = answer.pieces.drain(..).flat_map(bytewise).collect();
        }
        for piece in answer.pieces.iter_mut().filter(|piece| piece.len() > 0).skip(1) {
            piece.wait = piece.wait.max(self.every);
            piece.marks = piece.marks | marks;
        }
    }
}

/// Cuts a piece into its bytes; the last one keeps the meaning of the whole.
fn bytewise(piece: Piece) -> Vec<Piece> {
    let bytes = piece.bytes();
    let Some((last, rest)) = bytes.split_last() else { return vec![piece] };
    let mut pieces: Vec<_> = rest
        .iter()
        .map(|&byte| Piece { wrapping: piece.wrapping, ..Piece::raw(Kind::Fragment, vec![byte]) })
        .collect();
    pieces.push(Piece { name: "", open: "", payload: vec![*last].into(), close: "", ..piece });
    pieces
}
