//! What is wrong with a text that somebody wrote, where, and what was probably meant.
//!
//! The words are serde's and ours; here they get a place, a caret and a guess. Invariant: every error has a line and
//! a column.

use std::{fmt, ops::Range};

use crate::{caret::Place, catalogue::nearest};

/// A text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) message: String,
    /// What is known at this place, in words.
    known: Option<String>,
    /// Behind the caret.
    note: String,
    pub(crate) place: Place,
}

impl Misread {
    /// Says what is wrong at a span of the text.
    pub(crate) fn at(text: &str, span: Range<usize>, message: &str) -> Self {
        let place = Place::of(text, &narrowed(text, span, message));
        let Some((wrong, expected)) = unknown(message) else {
            return Self { message: plain(message), known: None, note: String::new(), place };
        };
        let words = quoted(expected);
        let what = if message.starts_with("unknown variant") { "value" } else { "key" };
        let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        Self {
            message: format!("{what} `{wrong}` is not known here"),
            known: Some(if list.is_empty() { "no key is".to_owned() } else { list }),
            note: guess(wrong, &words).unwrap_or_default(),
            place,
        }
    }

    /// Says what is wrong with a text that should be JSON.
    pub(crate) fn json(text: &str, error: &serde_json::Error) -> Self {
        let said = error.to_string();
        let message = said.split(" at line ").next().unwrap_or_default();
        let line_start: usize =
            text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let end = text.floor_char_boundary((line_start + error.column()).min(text.len()));
        // serde has read the wrong word by then.
        let word = named(message).first().and_then(|word| text[..end].rfind(&format!("\"{word}\"")));
        Self::at(text, word.unwrap_or(end.saturating_sub(1))..end, message)
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, known, note, place } = self;
        writeln!(f, "line {}, column {}: {message}", place.line, place.column)?;
        f.write_str(&place.draw(note))?;
        match known {
            Some(known) => write!(f, "\nknown here: {known}"),
            None => Ok(()),
        }
    }
}

/// Guesses what was meant by the word that a message of serde says is unknown.
pub(crate) fn meant(message: &str) -> Option<String> {
    let (wrong, expected) = unknown(&message[message.find("unknown ")?..])?;
    guess(wrong, &quoted(expected))
}

fn guess(wrong: &str, words: &[&str]) -> Option<String> {
    nearest(wrong, words.iter().copied()).map(|word| format!("did you mean `{word}`?"))
}

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

/// Returns the words of the text that a message names: in backticks, then in quotation marks.
fn named(message: &str) -> Vec<&str> {
    let strings = message.split('"').skip(1).step_by(2);
    quoted(message).into_iter().chain(strings).filter(|word| !word.is_empty()).collect()
}

/// Narrows a span to the word that the message is about, where it stands in it.
fn narrowed(text: &str, span: Range<usize>, message: &str) -> Range<usize> {
    let within = text.get(span.clone()).unwrap_or_default();
    // Of a fault with a wrong parameter, the parameter is meant, not the fault.
    let from =
        ["no parameter ", "these parameters: "].iter().find_map(|words| message.find(words)).unwrap_or(0);
    let found = named(&message[from..]).into_iter().find_map(|word| Some((whole_word(within, word)?, word)));
    found.map_or(span.clone(), |(at, word)| span.start + at..span.start + at + word.len())
}

/// Finds a word that is no part of a longer one.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let continues =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        !continues(text[..at].chars().next_back()) && !continues(text[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wish {
            #[expect(dead_code, reason = "only its name counts")]
            requests: u32,
        }
        Misread::json(text, &serde_json::from_str::<Wish>(text).unwrap_err()).to_string()
    }

    #[test]
    fn json_is_shown_with_line_caret_and_a_guess_m11() {
        insta::assert_snapshot!(read("{\n  \"reqests\": 2}"), @r#"
        line 2, column 4: key `reqests` is not known here
          |
        2 |   "reqests": 2}
          |    ^^^^^^^ did you mean `requests`?
        known here: `requests`
        "#);
        insta::assert_snapshot!(read("{\"requests\": \"two\"}"), @r#"
        line 1, column 15: invalid type: string "two", expected a whole number
          |
        1 | {"requests": "two"}
          |               ^^^
        "#);
        insta::assert_snapshot!(read("{\"requests\": 2"), @r#"
        line 1, column 14: EOF while parsing an object
          |
        1 | {"requests": 2
          |              ^
        "#);
        assert!(read("").starts_with("line 1, column 1: EOF while parsing a value"));
    }

    #[test]
    fn a_message_of_serde_is_searched_for_the_word_that_was_meant() {
        let message = "limt: unknown field `limt`, expected one of `path`, `limit`";

        assert_eq!(meant(message).as_deref(), Some("did you mean `limit`?"));
        assert_eq!(meant("limit: invalid digit found in string"), None);
    }
}
