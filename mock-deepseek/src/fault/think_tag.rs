//! Thinking that is not told apart from the answer.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, draft::Draft};

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
            Tags::Both => Some("<think>\n".to_owned()),
            Tags::Close => None,
        };
        let thinking = open.into_iter().chain(std::mem::take(&mut draft.reasoning));
        let text = std::mem::take(&mut draft.content);
        draft.content = thinking.chain(["\n</think>\n\n".to_owned()]).chain(text).collect();
        draft.thinks = false;
        draft.marks = draft.marks | marks;
    }
}
