//! A header that lies.

use serde::Deserialize;

use super::Behaviour;
use crate::answer::{Answer, Marks};

/// Sets a header to a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    name: String,
    /// Empty to leave the header out.
    value: String,
}

impl Behaviour for Header {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        head.set(&self.name, Some(self.value.as_str()).filter(|value| !value.is_empty()));
        head.marks = head.marks | marks;
    }
}
