//! Thinking that is not told apart from the answer.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, chunks::Chunk, draft::Draft};

/// Moves the thinking into the visible text, with the model's tags around it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThinkTag {
    tags: Tags,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tags {
    Both,
    /// Only the one behind it: the other stood in the prompt.
    Close,
}

impl Behaviour for ThinkTag {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        draft.think();
        let open = match self.tags {
            Tags::Both => Some(Chunk::from("<think>\n")),
            Tags::Close => None,
        };
        let close = [Chunk::from("\n</think>\n\n")];
        let thinking = std::mem::take(&mut draft.reasoning);
        let leaked = open.into_iter().chain(thinking.iter()).chain(close);
        draft.content = leaked.chain(draft.content.iter()).collect();
        draft.thinks = false;
        draft.marks = draft.marks | marks;
    }
}
