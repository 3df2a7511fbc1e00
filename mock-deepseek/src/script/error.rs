//! What is wrong with a script, where, and the way out.

use std::{fmt, ops::Range};

use crate::misread::Misread;

/// A script could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(Misread);

impl ScriptError {
    pub(super) fn new(text: &str, error: &toml::de::Error) -> Self {
        Self::at(text, error.span().unwrap_or(0..text.len()), error.message())
    }

    /// Says what is wrong at a span of the text.
    pub(super) fn at(text: &str, span: Range<usize>, message: &str) -> Self {
        Self(Misread::at(text, rule(text, message).unwrap_or(span), message))
    }

    /// Returns the line, from 1.
    pub fn line(&self) -> usize {
        self.0.place.line
    }

    /// Returns the column in characters, from 1.
    pub fn column(&self) -> usize {
        self.0.place.column
    }

    /// Returns what is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script cannot be read, {}", self.0)
    }
}

impl std::error::Error for ScriptError {}

/// Finds the rule that a message of the form `rule 2: …` is about.
fn rule(text: &str, message: &str) -> Option<Range<usize>> {
    let position: usize = message.strip_prefix(super::RULE)?.split(':').next()?.parse().ok()?;
    let mut headers = text.match_indices("[[rules]]").map(|(at, _)| at).skip(position.checked_sub(1)?);
    let start = headers.next()?;
    Some(start..headers.next().unwrap_or(text.len()))
}
