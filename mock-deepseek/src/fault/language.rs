//! Chinese where nobody asked for it.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, chunks::Chunks, draft::Draft};

const THINKING: &str = "用户用英语提问。我先想一想该怎么回答，再把要点写清楚。";
const ANSWER: &str = "好的，我们一步一步来：先好好休息，多喝水，再把想问的问题写下来。";

/// Says a part of the reply in Chinese.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Language {
    what: What,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum What {
    Answer,
    Thinking,
    /// The second half of the visible text.
    Mixed,
}

impl Behaviour for Language {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        match self.what {
            What::Answer => draft.content = Chunks::of(ANSWER, 1),
            What::Thinking => {
                draft.thinks = true;
                draft.reasoning = Chunks::of(THINKING, 1);
            }
            What::Mixed => {
                let half = draft.content.len() / 2;
                let other = Chunks::of(ANSWER, 1);
                draft.content = draft.content.iter().take(half).chain(other.iter()).collect();
            }
        }
        draft.marks = draft.marks | marks;
    }
}
