//! A reply in the form that was not asked for.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Form, Marks},
    draft::Draft,
};

/// Answers in this form, whatever the request says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reformed {
    form: Form,
}

impl Behaviour for Reformed {
    fn shape(&self, draft: &mut Draft, _marks: Marks) {
        draft.form = self.form;
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        // A recorded reply was not drafted, and keeps its form.
        if answer.form != self.form {
            return;
        }
        if let Some(head) = &mut answer.head {
            head.marks = head.marks | marks;
        }
    }
}
