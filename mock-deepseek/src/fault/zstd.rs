//! A compression that the client did not ask for.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Ending, Marks, Piece, Wrapping};

/// Writes each piece of the body as a zstd frame of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Zstd {}

impl Behaviour for Zstd {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        head.set("content-encoding", Some("zstd"));
        head.marks = head.marks | marks;
        for piece in &mut answer.pieces {
            compress(piece, marks);
        }
        if let Ending::Repeat(piece) = &mut answer.end.how {
            compress(piece, marks);
        }
    }
}

fn compress(piece: &mut Piece, marks: Marks) {
    let bytes = piece.bytes();
    if bytes.is_empty() || piece.wrapping == Wrapping::Verbatim {
        return;
    }
    (piece.name, piece.open, piece.close) = ("", "", "");
    piece.payload = compress_to_vec(bytes.as_slice(), CompressionLevel::Fastest).into();
    piece.marks = piece.marks | marks;
}
