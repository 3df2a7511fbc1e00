//! Events that are written in an unusual, and mostly legal, way.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Kind, Marks, Piece};

/// Writes all events in another style.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sse {
    style: Style,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Style {
    /// CR LF ends each line.
    Crlf,
    /// CR alone ends each line.
    Cr,
    /// One LF ends each event: it stays open.
    SingleNewline,
    /// No space after `data:`.
    NoSpace,
    /// JSON goes on in a second `data:` line.
    MultiLine,
    /// A byte order mark comes first.
    Bom,
}

impl Behaviour for Sse {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        for piece in answer.pieces.iter_mut().filter(|piece| piece.open == "data: ") {
            match self.style {
                Style::Crlf => piece.close = "\r\n\r\n",
                Style::Cr => piece.close = "\r\r",
                Style::SingleNewline => piece.close = "\n",
                Style::NoSpace => piece.open = "data:",
                Style::MultiLine => match piece.payload.strip_prefix(b"{") {
                    Some(rest) => piece.payload = [b"{\ndata: ", rest].concat().into(),
                    None => continue,
                },
                Style::Bom => continue,
            }
            piece.marks = piece.marks | marks;
        }
        if let Style::Bom = self.style {
            answer.pieces.insert(0, Piece { marks, ..Piece::raw(Kind::Fragment, &b"\xEF\xBB\xBF"[..]) });
        }
    }
}
