//! Words in braces, and what stands for them.

use serde_json::Value;

/// Words and their texts.
#[derive(Clone, Debug)]
pub(crate) struct Words(Vec<(&'static str, String)>);

impl<const N: usize> From<[(&'static str, String); N]> for Words {
    fn from(words: [(&'static str, String); N]) -> Self {
        Self(words.into())
    }
}

impl Words {
    /// Puts the text of each `{word}` in its place; what is no word of these stays as it stands.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, with)| text.replace(&format!("{{{word}}}"), with))
    }

    /// Fills all texts of a value.
    pub(crate) fn fill_all(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.fill_all(item)).collect(),
            Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (name, self.fill_all(value))).collect()
            }
            other => other,
        }
    }
}
