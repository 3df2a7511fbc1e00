//! A body that ends in the middle of the reply.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Cut, During, Ending, Kind, Marks, Piece, Wrapping};

/// Breaks the body off after some chunks of visible text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Torso {
    after_events: usize,
    end: TorsoEnd,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TorsoEnd {
    /// Half of the next HTTP chunk, then the socket is closed.
    CutChunk,
    /// The body ends properly, as if that were all.
    Clean,
    /// The connection is reset.
    Reset,
    /// The next chunk has a size that is no number.
    BadChunkSize,
}

impl Behaviour for Torso {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, During::Content) else { return };
        let next = answer.pieces.get(place).map(Piece::bytes).unwrap_or_default();
        let (broken, how) = match self.end {
            TorsoEnd::Clean => (None, Ending::Complete),
            TorsoEnd::Reset => (None, Ending::Cut(Cut::Reset)),
            TorsoEnd::CutChunk => {
                let mut bytes = format!("{:x}\r\n", next.len()).into_bytes();
                bytes.extend_from_slice(&next[..next.len() / 2]);
                (Some(bytes), Ending::Cut(Cut::Close))
            }
            TorsoEnd::BadChunkSize => {
                let mut bytes = b"zz\r\n".to_vec();
                bytes.extend_from_slice(&next);
                bytes.extend_from_slice(b"\r\n");
                (Some(bytes), Ending::Cut(Cut::Close))
            }
        };
        answer.end_at(place, how, marks);
        let verbatim =
            |bytes| Piece { wrapping: Wrapping::Verbatim, marks, ..Piece::raw(Kind::Fragment, bytes) };
        answer.pieces.extend(broken.map(verbatim));
    }
}
