//! Another answer instead of the reply: errors, pages, nothing.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use toml::Value;

use super::Behaviour;
use crate::{
    answer::{Answer, Ending, Framing, Kind, Marks, Piece},
    duration,
};

/// Answers with this. `{name}` in the body or a header stands for the parameter of that name.
#[derive(Debug, Deserialize)]
pub(super) struct Respond {
    /// Keeps the reply's head when it is left out.
    status: Option<u16>,
    /// Empty for no such header.
    content_type: Option<String>,
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// How long the answer is waited for.
    #[serde(default, deserialize_with = "duration::deserialize")]
    after: Duration,
    #[serde(flatten)]
    parameters: BTreeMap<String, Value>,
}

impl Respond {
    /// Puts the parameters into a text.
    fn filled(&self, text: &str) -> String {
        self.parameters.iter().fold(text.to_owned(), |text, (name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            text.replace(&format!("{{{name}}}"), &value)
        })
    }
}

impl Behaviour for Respond {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(head) = &mut answer.head else { return };
        if let Some(status) = self.status {
            head.status = status;
            head.framing = Framing::Length;
            head.set("cache-control", None);
        }
        if let Some(value) = self.content_type.as_deref() {
            head.set("content-type", Some(value).filter(|value| !value.is_empty()));
        }
        for (name, value) in &self.headers {
            head.set(name, Some(&self.filled(value)));
        }
        head.marks = head.marks | marks;
        head.hold_back(self.after, Marks::default());
        answer.pieces = vec![Piece { marks, ..Piece::raw(Kind::Body, self.filled(&self.body)) }];
        answer.end.how = Ending::Complete;
    }
}
