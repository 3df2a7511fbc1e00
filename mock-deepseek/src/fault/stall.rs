//! Silence on an open socket.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, During, Ending, Marks, Piece},
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StallPlace {
    /// After so many events of any kind.
    Events,
    /// After so many chunks of thinking.
    Reasoning,
    /// After everything, `[DONE]` included, before the end of the body.
    End,
}

impl Stall {
    fn place(&self, answer: &Answer) -> Option<usize> {
        match self.place {
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
        match self.lasts {
            Lasts::Forever => answer.end_at(place, Ending::Hang, marks),
            Lasts::For(pause) => {
                let begin =
                    [Piece::milestone(marks), Piece { wait: pause, ..Piece::milestone(Marks::default()) }];
                answer.pieces.splice(place..place, begin);
            }
        }
    }
}
