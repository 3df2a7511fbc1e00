//! A header that lies.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Marks};

/// Sets a header to a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    name: String,
    value: String,
    #[serde(default)]
    empty: Empty,
}

/// What becomes of an empty value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Empty {
    /// The header is left out.
    #[default]
    LeaveOut,
    /// The header is sent without a value.
    Send,
}

impl Behaviour for Header {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        head.set(
            &self.name,
            Some(self.value.as_str()).filter(|value| !value.is_empty() || self.empty == Empty::Send),
        );
        head.marks = head.marks | marks;
    }
}
