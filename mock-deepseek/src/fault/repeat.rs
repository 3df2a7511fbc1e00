//! A model that cannot stop saying the same thing.

use serde::Deserialize;

use super::Behaviour;
use crate::{answer::Marks, draft::Draft, script::FinishReason, tokens};

/// The most tokens that may be asked for: what DeepSeek allows a thinking model by default.
const TOKENS_MAX: usize = 65_536;

/// Repeats a phrase, token by token, until the budget is used up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Repeat {
    phrase: String,
    tokens: usize,
}

impl Behaviour for Repeat {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        let thought = draft.usage().reasoning.unwrap_or_default();
        let budget = draft.budget.map_or(usize::MAX, |budget| budget.saturating_sub(thought));
        let count = self.tokens.min(TOKENS_MAX).min(budget);
        let phrase = tokens::split(&self.phrase);
        draft.content = phrase.iter().cycle().take(count).collect();
        FinishReason::Length.as_str().clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }
}
