//! A reply that says nothing and calls it complete.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, draft::Draft, script::FinishReason};

/// Blanks the visible text out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Blank {
    text: Text,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Text {
    /// As many spaces as there were characters.
    Spaces,
    Nothing,
}

impl Behaviour for Blank {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        match self.text {
            Text::Spaces => {
                draft.content = draft.content.iter().map(|text| " ".repeat(text.chars().count())).collect();
            }
            Text::Nothing => draft.content.clear(),
        }
        FinishReason::Stop.as_str().clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }
}
