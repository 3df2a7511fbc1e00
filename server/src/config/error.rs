//! What is wrong with settings, and where.

use std::{fmt, ops::Range};

/// The settings cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is no TOML.
    #[error("not valid TOML: {problem}{place}")]
    Syntax {
        /// What the parser says.
        problem: String,
        /// Where.
        place: Place,
    },
    /// There is no such key.
    #[error("unknown key `{key}`, expected one of {known}{place}{hint}")]
    Unknown {
        /// The whole key, with dots.
        key: String,
        /// The keys that are known there, in backticks.
        known: String,
        /// Where.
        place: Place,
        /// The nearest known key in words, or nothing.
        hint: String,
    },
    /// The value has the wrong type or form.
    #[error("`{key}` is wrong: {problem}{place}")]
    Value {
        /// The whole key, with dots.
        key: String,
        /// What was found and what is expected.
        problem: String,
        /// Where.
        place: Place,
    },
    /// The value has the right form but makes no sense.
    #[error("`{key}` is {found}, allowed is {allowed}")]
    Invalid {
        /// The whole key, with dots.
        key: &'static str,
        /// What was found.
        found: String,
        /// What would be right.
        allowed: String,
    },
}

/// Where a setting came from. Printed as lines of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Some bytes of a file.
    File(Box<Snippet>),
    /// A variable of the environment.
    Variable(String),
    /// Given by the program that starts the server.
    Program,
}

/// Some characters of a line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The file's name.
    pub name: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The text of the line.
    pub text: String,
    /// How many characters are meant.
    pub width: usize,
}

impl Place {
    /// Finds the line and column of some bytes of a file.
    pub(super) fn file(name: &str, text: &str, bytes: Range<usize>) -> Self {
        let start = bytes.start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_text = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let meant = text.get(bytes).unwrap_or_default().lines().next().unwrap_or_default();
        Self::File(Box::new(Snippet {
            name: name.to_owned(),
            line: before.matches('\n').count() + 1,
            column,
            text: line_text.to_owned(),
            width: meant.chars().count().max(1),
        }))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => Ok(()),
            Self::Variable(name) => write!(f, "\n --> variable {name}"),
            Self::File(snippet) => snippet.fmt(f),
        }
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, column, text, width } = self;
        let gutter = " ".repeat(line.to_string().len());
        write!(f, "\n --> {name}:{line}:{column}\n{gutter} |\n{line} | {text}\n{gutter} | ")?;
        write!(f, "{}{}", " ".repeat(column - 1), "^".repeat(*width))
    }
}

/// Returns the candidate that `found` was probably meant to be, as a hint on a line of its own.
pub(super) fn hint<'a>(found: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let near = candidates.map(|candidate| (distance(found, candidate), candidate)).min();
    match near {
        Some((distance, candidate)) if distance <= 1 + found.chars().count() / 4 => {
            format!("\ndid you mean `{candidate}`?")
        }
        _ => String::new(),
    }
}

/// Counts the letters to add, remove or change to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_another_word_is_not() {
        let known = ["idle", "queue", "window_messages"];

        assert_eq!(hint("window_mesages", known.into_iter()), "\ndid you mean `window_messages`?");
        assert_eq!(hint("idel", known.into_iter()), "\ndid you mean `idle`?");
        assert_eq!(hint("colour", known.into_iter()), "");
    }

    #[test]
    fn a_place_counts_characters_and_not_bytes() {
        let text = "a = 1\nñé = 2";

        let place = Place::file("f", text, text.find('2').unwrap()..text.len());

        assert_eq!(place.to_string(), "\n --> f:2:6\n  |\n2 | ñé = 2\n  |      ^");
    }
}
