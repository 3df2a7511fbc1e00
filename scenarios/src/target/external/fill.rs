//! Words in braces, and what stands for them.

use std::path::Path;

use serde_json::Value;

use super::{TargetFile, links::Ends};

/// Words and their texts.
#[derive(Clone, Debug)]
pub(crate) struct Words(Vec<(&'static str, String)>);

impl<const N: usize> From<[(&'static str, String); N]> for Words {
    fn from(words: [(&'static str, String); N]) -> Self {
        Self(words.into())
    }
}

impl Words {
    /// Returns these and further ones.
    pub(crate) fn and<const N: usize>(mut self, more: [(&'static str, String); N]) -> Self {
        self.0.extend(more);
        self
    }

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

/// Returns the words that commands of a target file may hold, wherever it runs.
pub(super) fn words(file: &TargetFile, ends: &Ends) -> Words {
    let address = file.url.trim_start_matches("http://");
    let port = address.rsplit(':').next().unwrap_or_default();
    Words::from([
        ("llm", ends.llm.clone()),
        ("database", ends.database.clone().unwrap_or_default()),
        ("redis", ends.redis.clone().unwrap_or_default()),
        ("url", file.url.clone()),
        ("address", address.to_owned()),
        ("port", port.to_owned()),
        ("folder", std::path::absolute(here(&file.folder)).unwrap_or_default().display().to_string()),
        ("gauntlet", std::env::current_exe().unwrap_or_default().display().to_string()),
    ])
}

/// Returns a folder by a path that can be gone to, also the one that has none.
pub(super) fn here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
