//! Network chunks that end where no reader would like them to.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Kind, Marks, Piece},
    duration,
};

/// Cuts events into two writes and two HTTP chunks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    at: At,
    /// Between the two halves.
    #[serde(deserialize_with = "duration::deserialize")]
    pause: Duration,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum At {
    /// Inside each character of several bytes.
    Character,
    /// Inside each `data:` prefix.
    Prefix,
}

impl Split {
    /// Returns where to cut this piece.
    fn cut(&self, piece: &Piece) -> Option<usize> {
        match self.at {
            At::Character => piece.bytes().iter().position(|&byte| byte >= 0xC0).map(|lead| lead + 1),
            At::Prefix => (piece.open == "data: ").then_some(piece.name_len() + 3),
        }
    }
}

impl Behaviour for Split {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let mut place = 0;
        while let Some(piece) = answer.pieces.get_mut(place) {
            let cut = if piece.kind == Kind::Fragment { None } else { self.cut(piece) };
            if let Some(at) = cut {
                piece.marks = piece.marks | marks;
                answer.split(place, at, self.pause);
                place += 1;
            }
            place += 1;
        }
    }
}
