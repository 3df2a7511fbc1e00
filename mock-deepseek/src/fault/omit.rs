//! Streams that end properly in HTTP, but not in their own terms.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Kind, Marks, Piece};

/// Leaves out a part of the end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Omit {
    what: What,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Done,
    Finish,
}

impl Behaviour for Omit {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let kind = match self.what {
            What::Done => Kind::Done,
            What::Finish => Kind::Finish,
        };
        for piece in answer.pieces.iter_mut().filter(|piece| piece.kind == kind) {
            *piece = Piece::milestone(piece.marks | marks);
        }
    }
}
