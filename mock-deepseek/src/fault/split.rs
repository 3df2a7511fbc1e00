//! Network chunks that end where no reader would like them to.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Kind, Marks, Piece},
    duration,
};

/// Cuts events into several writes and HTTP chunks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    at: At,
    /// Between the parts.
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
    /// Between CR and LF, which end the lines instead of LF.
    LineEnds,
}

impl Split {
    /// Returns where to cut this piece, in order.
    fn cuts(&self, piece: &mut Piece) -> Vec<usize> {
        match self.at {
            _ if piece.kind == Kind::Fragment => Vec::new(),
            At::Character => {
                piece.bytes().iter().position(|&byte| byte >= 0xC0).map(|lead| lead + 1).into_iter().collect()
            }
            _ if !piece.open.starts_with("data:") => Vec::new(),
            At::Prefix => vec![piece.name_len() + 3],
            At::LineEnds => {
                piece.close = "\r\n\r\n";
                let end = piece.bytes().len();
                vec![end - 3, end - 1]
            }
        }
    }
}

impl Behaviour for Split {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let mut place = 0;
        while let Some(piece) = answer.pieces.get_mut(place) {
            let cuts = self.cuts(piece);
            if !cuts.is_empty() {
                piece.marks = piece.marks | marks;
            }
            for &at in cuts.iter().rev() {
                answer.split(place, at, self.pause);
            }
            place += cuts.len() + 1;
        }
    }
}
