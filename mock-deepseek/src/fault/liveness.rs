//! Signs of life that are not progress: comments and blank lines.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Cut, During, Ending, Framing, Head, Kind, Marks, Piece, Wrapping},
    duration,
};

/// Writes signs of life, some of them or without end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Liveness {
    sign: Sign,
    #[serde(deserialize_with = "duration::deserialize")]
    every: Duration,
    /// How many; without end when it is left out.
    #[serde(default)]
    count: Option<usize>,
    #[serde(default)]
    after_events: usize,
    /// What comes after a row that has an end.
    #[serde(default)]
    then: Then,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Then {
    /// The reply.
    #[default]
    Reply,
    /// The end of the body, and of the connection.
    Close,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sign {
    Comment,
    BlankLine,
    /// An event that is no chunk, as another vendor's format has it.
    Ping,
}

/// The most signs before the reply, and the shortest pause between two of an endless row.
const COUNT_MAX: usize = 10_000;
const EVERY_MIN: Duration = Duration::from_millis(1);

impl Liveness {
    fn piece(&self, answer: &Answer, marks: Marks) -> Piece {
        use crate::answer::Form::Stream;
        let bytes: &'static [u8] = match (self.sign, answer.form) {
            (Sign::Comment, Stream) => b": keep-alive\n\n",
            (Sign::Ping, Stream) => b"event: ping\ndata: {\"type\":\"ping\"}\n\n",
            _ => b"\n",
        };
        Piece { wait: self.every, marks, ..Piece::raw(Kind::Liveness, bytes) }
    }
}

/// Ends the body in HTTP's terms, where that takes bytes.
fn last_chunk(head: Option<&Head>, marks: Marks) -> Option<Piece> {
    let chunked = head.is_some_and(|head| head.framing == Framing::Chunked);
    let bytes = &b"0\r\n\r\n"[..];
    chunked.then(|| Piece { wrapping: Wrapping::Verbatim, marks, ..Piece::raw(Kind::Fragment, bytes) })
}

impl Behaviour for Liveness {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, During::Any) else { return };
        let sign = self.piece(answer, marks);
        let Some(count) = self.count else {
            let sign = Piece { wait: sign.wait.max(EVERY_MIN), ..sign };
            return answer.end_at(place, Ending::Repeat(Box::new(sign)), marks);
        };
        let signs = std::iter::repeat_n(sign, count.min(COUNT_MAX));
        match self.then {
            Then::Reply => drop(answer.pieces.splice(place..place, signs)),
            Then::Close => {
                answer.end_at(place, Ending::Cut(Cut::Close), marks);
                answer.pieces.extend(signs.chain(last_chunk(answer.head.as_ref(), marks)));
            }
        }
    }
}
