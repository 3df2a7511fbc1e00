//! An event that does not belong to the reply.

use std::time::Duration;

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, During, Ending, Kind, Marks, Piece},
    duration,
};

/// Puts an event between those of the reply.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Insert {
    event: Event,
    after_events: usize,
    #[serde(default)]
    during: During,
    then: Then,
    /// Between two repetitions, for `then = "repeat"`.
    #[serde(default, deserialize_with = "duration::deserialize")]
    every: Duration,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Event {
    /// A chunk with an empty list of choices.
    EmptyChoices,
    /// A chunk of this text.
    Content(String),
    /// This payload.
    Payload(String),
    /// These bytes, with whatever makes an event of them.
    Raw(String),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Then {
    /// The reply goes on.
    Continue,
    /// The body ends properly, with nothing after the event.
    End,
    /// The event comes again and again.
    Repeat,
}

/// The shortest pause between two repetitions: an endless stream must not keep a machine busy.
const EVERY_MIN: Duration = Duration::from_millis(1);

impl Behaviour for Insert {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, self.during) else { return };
        let payload = match &self.event {
            Event::EmptyChoices => answer.envelope.as_ref().map(|envelope| ("", envelope.chunk(""))),
            Event::Content(text) => answer.more_text(text),
            Event::Payload(text) | Event::Raw(text) => Some(("", text.clone().into())),
        };
        // A form without such chunks has no place for them.
        let Some((name, payload)) = payload else { return };
        let piece = if let Event::Raw(_) = self.event { Piece::raw } else { Piece::event };
        let event = Piece { name, marks, ..piece(Kind::Foreign, payload) };
        match self.then {
            Then::Continue => answer.pieces.insert(place, event),
            Then::End => {
                answer.pieces.truncate(place);
                answer.pieces.push(event);
            }
            Then::Repeat => {
                let event = Piece { wait: self.every.max(EVERY_MIN), ..event };
                answer.end_at(place, Ending::Repeat(Box::new(event)), marks);
            }
        }
    }
}
