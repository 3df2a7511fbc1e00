//! Compressed bodies that are not what their head says.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Ending, Kind, Marks, Piece, Wrapping};

/// Compresses the body piece by piece, so that each can be read when it arrives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gzip {
    /// Whether the head says so.
    declared: bool,
    /// So much of the compressed bytes is sent; all of them, trailer included, when it is left out.
    #[serde(default)]
    percent: Option<u8>,
}

impl Behaviour for Gzip {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        if self.declared {
            head.set("content-encoding", Some("gzip"));
            head.marks = head.marks | marks;
        }
        let Ok(trailer) = compress(&mut answer.pieces, marks) else { return };
        if let Ending::Complete = answer.end.how {
            answer.pieces.push(Piece { marks, ..Piece::raw(Kind::Fragment, trailer) });
        }
        if let Some(percent) = self.percent {
            cut(answer, usize::from(percent.min(100)), marks);
        }
    }
}

/// Compresses each piece where it stands and returns the end of the stream. It fails only if a
/// vector does not take bytes.
fn compress(pieces: &mut [Piece], marks: Marks) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for piece in pieces {
        let bytes = piece.bytes();
        if bytes.is_empty() || piece.wrapping == Wrapping::Verbatim {
            continue;
        }
        encoder.write_all(&bytes)?;
        encoder.flush()?;
        (piece.name, piece.open, piece.close) = ("", "", "");
        piece.payload = Bytes::from(std::mem::take(encoder.get_mut()));
        piece.marks = piece.marks | marks;
    }
    encoder.finish()
}

/// Ends the body properly after this share of its bytes.
fn cut(answer: &mut Answer, percent: usize, marks: Marks) {
    let whole: usize = answer.pieces.iter().map(|piece| piece.payload.len()).sum();
    let mut left = whole * percent / 100;
    let Some(place) = answer.pieces.iter().position(|piece| {
        let fits = piece.payload.len() <= left;
        left = if fits { left - piece.payload.len() } else { left };
        !fits
    }) else {
        return;
    };
    let rest = answer.pieces[place].payload.slice(..left);
    let wait = answer.pieces[place].wait;
    answer.end_at(place, Ending::Complete, marks);
    answer.pieces.push(Piece { wait, marks, ..Piece::raw(Kind::Fragment, rest) });
}
