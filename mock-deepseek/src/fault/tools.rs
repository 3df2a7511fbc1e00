//! Tool calls in a stream that cannot be put together again.

use std::{collections::VecDeque, time::Duration};

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Kind, Marks, Piece},
    draft::Draft,
    render::{Envelope, quoted},
};

/// Says tool calls instead of text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tools {
    broken: Broken,
}

/// What is wrong with the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Broken {
    /// No delta has an index.
    IndexMissing,
    /// Both calls have the index 0.
    IndexReused,
    /// The ids are empty.
    IdBlank,
    /// Both calls have the same id.
    IdRepeated,
    /// There is one call, and its arguments stop in the middle.
    ArgumentsCut,
}

/// A call: id, name, and the arguments in the parts in which they come.
type Call = (&'static str, &'static str, [&'static str; 2]);

const CALLS: [Call; 2] = [
    ("call_00_mk7Qw2uXc1", "look_up_weather", [r#"{"city":"#, r#""Lisbon"}"#]),
    ("call_01_p5Zr8tLd4s", "set_reminder", [r#"{"day":"#, r#""Monday"}"#]),
];

impl Tools {
    fn deltas(&self) -> Vec<String> {
        let calls = if self.broken == Broken::ArgumentsCut { &CALLS[..1] } else { &CALLS[..] };
        calls.iter().enumerate().flat_map(|(number, call)| self.call(number, call)).collect()
    }

    /// Renders the deltas of one call: its name, then its arguments part by part.
    fn call(&self, number: usize, (id, name, arguments): &Call) -> Vec<String> {
        let index = match self.broken {
            Broken::IndexMissing => String::new(),
            Broken::IndexReused => r#""index":0,"#.to_owned(),
            _ => format!(r#""index":{number},"#),
        };
        let id = match self.broken {
            Broken::IdBlank => "",
            Broken::IdRepeated => CALLS[0].0,
            _ => id,
        };
        let kept = if self.broken == Broken::ArgumentsCut { 1 } else { arguments.len() };
        let first = format!(
            r#"{{"tool_calls":[{{{index}"id":"{id}","type":"function","function":{{"name":"{name}","arguments":""}}}}]}}"#
        );
        let parts = arguments.iter().take(kept).map(|part| {
            format!(r#"{{"tool_calls":[{{{index}"function":{{"arguments":{}}}}}]}}"#, quoted(part))
        });
        [first].into_iter().chain(parts).collect()
    }

    fn pieces(&self, envelope: &Envelope, mut waits: VecDeque<Duration>, marks: Marks) -> Vec<Piece> {
        let piece = |delta: String| {
            let wait = waits.pop_front().unwrap_or_default();
            Piece { wait, marks, ..Piece::event(Kind::Foreign, envelope.delta(&delta)) }
        };
        self.deltas().into_iter().map(piece).collect()
    }
}

impl Behaviour for Tools {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        if !draft.dialect.has_chunks() {
            return;
        }
        let finish = if self.broken == Broken::ArgumentsCut { "length" } else { "tool_calls" };
        finish.clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        // A recorded reply was not drafted, and would end with another reason.
        let Some(envelope) = answer.envelope.clone().filter(|_| answer.bears(marks)) else { return };
        let is_text = |piece: &Piece| piece.kind == Kind::Content;
        let place = answer.pieces.iter().position(|piece| is_text(piece) || piece.kind == Kind::Finish);
        let Some(place) = place else { return };
        let waits = answer.pieces.iter().filter(|piece| is_text(piece)).map(|piece| piece.wait).collect();
        answer.pieces.retain(|piece| !is_text(piece));
        let calls = self.pieces(&envelope, waits, marks);
        answer.pieces.splice(place..place, calls);
    }
}
