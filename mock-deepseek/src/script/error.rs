//! What is wrong with a script, where, and the way out.
//!
//! The words are serde's and ours; here they get a place, a caret and a guess at what was meant.
//! Invariant: every error has a line and a column.

use std::{fmt, ops::Range};

use crate::{caret::Place, catalogue::nearest};

/// A script could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    message: String,
    /// What is known at this place, in words.
    known: Option<String>,
    /// Behind the caret.
    note: String,
    place: Place,
}

impl ScriptError {
    pub(super) fn new(text: &str, error: &toml::de::Error) -> Self {
        Self::at(text, error.span().unwrap_or(0..text.len()), error.message())
    }

    /// Says what is wrong at a span of the text.
    pub(super) fn at(text: &str, span: Range<usize>, message: &str) -> Self {
        let span = narrowed(text, span, message);
        let place = Place::of(text, &span);
        let Some((wrong, expected)) = unknown(message) else {
            return Self { message: plain(message), known: None, note: String::new(), place };
        };
        let words = quoted(expected);
        let note = nearest(wrong, words.iter().copied()).map(|word| format!("did you mean `{word}`?"));
        let what = if message.starts_with("unknown variant") { "value" } else { "key" };
        let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        Self {
            message: format!("{what} `{wrong}` is not known here"),
            known: Some(if list.is_empty() { "no key is".to_owned() } else { list }),
            note: note.unwrap_or_default(),
            place,
        }
    }

    /// Returns the line, from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Returns the column in characters, from 1.
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// Returns what is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, known, note, place } = self;
        writeln!(f, "script cannot be read, line {}, column {}: {message}", place.line, place.column)?;
        f.write_str(&place.draw(note))?;
        match known {
            Some(known) => write!(f, "\nknown here: {known}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ScriptError {}

/// Types of ours that serde names, and what people call them.
const TYPES: [(&str, &str); 6] = [
    ("expected u32", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("expected usize", "expected a whole number"),
    ("expected f64", "expected a number"),
    ("expected a boolean", "expected `true` or `false`"),
    ("expected a sequence", "expected a list in brackets"),
];

/// Says in words what serde says in types.
fn plain(message: &str) -> String {
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("key {} is missing: add it", key.trim());
    }
    let found =
        TYPES.iter().find_map(|(kind, words)| Some(message.trim().strip_suffix(kind)?.to_owned() + words));
    found.unwrap_or_else(|| message.trim().to_owned())
}

/// Takes apart serde's `unknown field …, expected …`.
fn unknown(message: &str) -> Option<(&str, &str)> {
    let rest =
        message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    rest.split_once('`')
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Narrows a span to the word that the message is about, where it stands in it.
fn narrowed(text: &str, span: Range<usize>, message: &str) -> Range<usize> {
    let span = rule(text, message).unwrap_or(span);
    let within = text.get(span.clone()).unwrap_or_default();
    // Of a fault with a wrong parameter, the parameter is meant, not the fault.
    let from =
        ["no parameter ", "these parameters: "].iter().find_map(|words| message.find(words)).unwrap_or(0);
    let strings = message[from..].split('"').skip(1).step_by(2);
    let words: Vec<_> = quoted(&message[from..]).into_iter().chain(strings).collect();
    let found =
        words.iter().filter(|word| !word.is_empty()).find_map(|word| Some((whole_word(within, word)?, word)));
    found.map_or(span.clone(), |(at, word)| span.start + at..span.start + at + word.len())
}

/// Finds the rule that a message of the form `rule 2: …` is about.
fn rule(text: &str, message: &str) -> Option<Range<usize>> {
    let position: usize = message.strip_prefix(super::RULE)?.split(':').next()?.parse().ok()?;
    let mut headers = text.match_indices("[[rules]]").map(|(at, _)| at).skip(position.checked_sub(1)?);
    let start = headers.next()?;
    Some(start..headers.next().unwrap_or(text.len()))
}

/// Finds a word that is no part of a longer one.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let continues =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        !continues(text[..at].chars().next_back()) && !continues(text[at + word.len()..].chars().next())
    })
}
