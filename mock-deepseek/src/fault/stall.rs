//! Silence on an open socket.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Cut, During, Ending, Marks, Piece},
    draft::Draft,
    duration::Lasts,
};

/// Falls silent after some events, for a while or for ever.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stall {
    place: StallPlace,
    #[serde(default)]
    after_events: usize,
    lasts: Lasts,
    #[serde(default)]
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StallPlace {
    /// Before the status line.
    BeforeHead,
    /// After so many events of any kind.
    Events,
    /// After so many chunks of thinking.
    Reasoning,
    /// After everything, `[DONE]` included, before the end of the body.
    End,
}

/// What follows a silence that ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Then {
    /// The reply goes on.
    #[default]
    Continue,
    /// The socket is closed.
    Close,
}

impl Stall {
    fn place(&self, answer: &Answer) -> Option<usize> {
        match self.place {
            StallPlace::BeforeHead => Some(0),
            StallPlace::Events => answer.place_after(self.after_events, During::Any),
            StallPlace::Reasoning => answer.place_after(self.after_events, During::Reasoning),
            StallPlace::End => Some(answer.pieces.len()),
        }
    }
}

impl Behaviour for Stall {
    fn shape(&self, draft: &mut Draft, _marks: Marks) {
        if self.place == StallPlace::Reasoning {
            draft.think();
        }
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = self.place(answer) else { return };
        let Lasts::For(pause) = self.lasts else { return self.hang(answer, place, marks) };
        let wait = Piece { wait: pause, ..Piece::milestone(Marks::default()) };
        // A silence counts when it begins, one that ends in a close when it ends.
        match (self.place, &mut answer.head) {
            (StallPlace::BeforeHead, Some(head)) => head.hold_back(pause, marks),
            _ if self.then == Then::Close => {
                answer.end_at(place, Ending::Cut(Cut::Close), marks);
                answer.pieces.push(wait);
            }
            _ => drop(answer.pieces.splice(place..place, [Piece::milestone(marks), wait])),
        }
    }
}

impl Stall {
    fn hang(&self, answer: &mut Answer, place: usize, marks: Marks) {
        if self.place == StallPlace::BeforeHead {
            answer.head = None;
        }
        answer.end_at(place, Ending::Hang, marks);
    }
}
