//! Signs of life that are not progress: comments and blank lines.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, During, Ending, Kind, Marks, Piece},
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

impl Behaviour for Liveness {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, During::Any) else { return };
        let sign = self.piece(answer, marks);
        if let Some(count) = self.count {
            answer.pieces.splice(place..place, std::iter::repeat_n(sign, count.min(COUNT_MAX)));
        } else {
            let sign = Piece { wait: sign.wait.max(EVERY_MIN), ..sign };
            answer.end_at(place, Ending::Repeat(Box::new(sign)), marks);
        }
    }
}
