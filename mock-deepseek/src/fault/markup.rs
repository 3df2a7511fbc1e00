//! Markup that the API should have read and did not.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, draft::Draft, script::FinishReason};

/// Says this text, in chunks that pay no heed to its marks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Markup {
    text: String,
    /// How long each chunk is.
    characters: usize,
}

impl Behaviour for Markup {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        let characters: Vec<_> = self.text.chars().collect();
        draft.content =
            characters.chunks(self.characters.max(1)).map(|chunk| chunk.iter().collect::<String>()).collect();
        FinishReason::Stop.as_str().clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }
}
