//! Replies that end for another reason than being complete.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Kind, Marks, Piece},
    draft::Draft,
};

/// Keeps a part of the reply and gives it another finish reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finish {
    reason: String,
    keep: Keep,
    /// How many chunks of text stay, for `keep = "torso"`.
    #[serde(default)]
    after_events: usize,
    /// Whether a stream ends with `[DONE]`.
    #[serde(default = "yes")]
    done: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Keep {
    /// The first chunks of the text.
    Torso,
    /// Thinking without any text.
    Thinking,
}

impl Behaviour for Finish {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        match self.keep {
            Keep::Torso => draft.content.truncate(self.after_events),
            Keep::Thinking => {
                draft.think();
                draft.content.clear();
            }
        }
        self.reason.clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        // A recorded reply was not drafted, and ends as it did.
        if self.done || !answer.bears(marks) {
            return;
        }
        for piece in answer.pieces.iter_mut().filter(|piece| piece.kind == Kind::Done) {
            *piece = Piece::milestone(piece.marks | marks);
        }
    }
}
