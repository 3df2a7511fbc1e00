//! Replaces what differs from run to run: ids, tokens, secrets of 256 bits, their beginnings, and those of authenticators, ports.
//!
//! The same id gets the same replacement wherever it stands, so a transcript still shows what belongs
//! together.

use std::{collections::HashMap, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::Value;

use crate::result::Line;

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test uses them")]
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        r"|(?P<token>eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)",
        r"|(?P<secret>\b(?:[a-z]{2}_[0-9a-f]{8}(?:[0-9a-f]{56})?|[0-9a-f]{64}|[A-Z2-7]{32})\b)",
        r"|(?P<port>127\.0\.0\.\d+:\d+)",
    ))
    .expect("pattern is valid")
});

/// Replaces varying names, the same name always by the same word.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    ids: HashMap<String, usize>,
}

impl Redactor {
    pub(crate) fn line(&mut self, mut line: Line) -> Line {
        line.text = self.text(&line.text);
        line.data = line.data.map(|data| self.value(data));
        line
    }

    fn text(&mut self, text: &str) -> String {
        VARYING
            .replace_all(text, |found: &Captures<'_>| {
                if let Some(id) = found.name("id") {
                    let next = self.ids.len() + 1;
                    let number = *self.ids.entry(id.as_str().to_owned()).or_insert(next);
                    return format!("[id {number}]");
                }
                let word = if found.name("token").is_some() {
                    "[token]"
                } else if found.name("secret").is_some() {
                    "[secret]"
                } else {
                    "[address]"
                };
                word.to_owned()
            })
            .into_owned()
    }

    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(key, value)| (key, self.value(value))).collect())
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_gets_the_same_word() {
        let mut redactor = Redactor::default();
        let (a, b) = ("0190a8c4-0000-7000-8000-000000000001", "0190a8c4-0000-7000-8000-000000000002");

        let text = redactor.text(&format!("{a} {b} {a} at 127.0.0.10:4711 with eyJh.eyJi.c-_"));

        assert_eq!(text, "[id 1] [id 2] [id 1] at [address] with [token]");
        let secrets = format!("wt_{} {} GJM3WCMEOZC3VC5EWGXZUBXOAB3OB2B6", "a8".repeat(32), "0f".repeat(32));
        assert_eq!(redactor.text(&secrets), "[secret] [secret] [secret]");
        assert_eq!(redactor.text("THIS IS SHOUTED and this is not"), "THIS IS SHOUTED and this is not");
    }
}
