//! A turn that ends without having said anything.

use serde::Deserialize;

use super::{Behaviour, edit};
use crate::{
    answer::{Answer, Kind, Marks},
    draft::Draft,
};

/// Leaves of the reply only the role and a finish reason, in one chunk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hollow {
    reason: String,
}

/// What is left of the message.
const MESSAGE: &str = r#"{"role":"assistant"}"#;

impl Behaviour for Hollow {
    fn shape(&self, draft: &mut Draft, marks: Marks) {
        if !draft.dialect.has_chunks() {
            return;
        }
        draft.reasoning.clear();
        draft.content.clear();
        self.reason.clone_into(&mut draft.finish);
        draft.marks = draft.marks | marks;
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        // A recorded reply was not drafted, and would end with another reason.
        if answer.envelope.is_none() || !answer.bears(marks) {
            return;
        }
        answer.pieces.retain(|piece| !matches!(piece.kind, Kind::Role | Kind::Reasoning | Kind::Content));
        for piece in &mut answer.pieces {
            let pointer = match piece.kind {
                Kind::Finish => "/choices/0/delta",
                Kind::Body => "/choices/0/message",
                _ => continue,
            };
            let json = serde_json::from_slice(&piece.payload).ok();
            if let Some(text) = json.and_then(|json| edit::replaced(json, pointer, Some(MESSAGE))) {
                piece.payload = text.into();
                piece.marks = piece.marks | marks;
            }
        }
    }
}
