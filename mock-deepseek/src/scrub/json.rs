//! Finds the strings and numbers of a JSON text where they stand, without judging the text.
//!
//! Invariant: any text is read to its end, also one that is cut or is no JSON at all: what cannot be
//! understood is a scalar.

use std::ops::Range;

use super::view::View;

/// Deeper down, deltas are not followed from event to event.
const PATH_MAX: usize = 16;

/// A string, a number or any other word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) view: View,
    pub(super) form: Form,
    /// The key under which it stands; none in a list.
    pub(super) key: Option<String>,
    /// The keys and positions down to it; empty when there are too many.
    pub(super) path: String,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A key of an object.
    Key,
    /// In quotation marks, which are not part of the view.
    Text,
    /// Without.
    Bare,
}

/// The key under which a text is told once more, token by token.
const TOKENS: &str = "logprobs";

/// What stands in a text.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) scalars: Vec<Scalar>,
    /// Where the objects and lists are that tell a text once more, token by token.
    pub(super) tokens: Vec<Range<usize>>,
}

/// Returns what stands in the text, which begins at `base` in the bytes.
pub(super) fn read(text: &str, base: usize) -> Found {
    let mut reader = Reader { text, base, at: 0, stack: Vec::new(), tokens: None, found: Found::default() };
    while let Some(&byte) = text.as_bytes().get(reader.at) {
        reader.step(byte);
    }
    if let Some((_, start)) = reader.tokens {
        reader.found.tokens.push(start..base + text.len());
    }
    reader.found
}

struct Reader<'a> {
    text: &'a str,
    base: usize,
    at: usize,
    stack: Vec<Level>,
    /// How deep the list of tokens lies that is being read, and where it begins.
    tokens: Option<(usize, usize)>,
    found: Found,
}

enum Level {
    Object { key: String, expects_key: bool },
    List { position: usize },
}

impl Reader<'_> {
    fn step(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(Level::Object { key: String::new(), expects_key: true }),
            b'[' => self.open(Level::List { position: 0 }),
            b'}' | b']' => self.close(),
            b':' => self.expect_key(false),
            b',' => {
                self.expect_key(true);
                if let Some(Level::List { position }) = self.stack.last_mut() {
                    *position += 1;
                }
            }
            b'"' => return self.string(),
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => return self.bare(),
        }
        self.at += 1;
    }

    fn open(&mut self, level: Level) {
        let is_named = matches!(self.stack.last(), Some(Level::Object { key, .. }) if key == TOKENS);
        if is_named && self.tokens.is_none() {
            self.tokens = Some((self.stack.len(), self.base + self.at));
        }
        self.stack.push(level);
    }

    fn close(&mut self) {
        self.stack.pop();
        let depth = self.stack.len();
        if let Some((_, start)) = self.tokens.take_if(|(outside, _)| *outside >= depth) {
            self.found.tokens.push(start..self.base + self.at + 1);
        }
    }

    fn expect_key(&mut self, yes: bool) {
        if let Some(Level::Object { expects_key, .. }) = self.stack.last_mut() {
            *expects_key = yes;
        }
    }

    fn bare(&mut self) {
        let rest = &self.text[self.at..];
        // What ends a word is what `step` knows: a word of no bytes would be found for ever.
        let ends = |c| matches!(c, ' ' | '\t' | '\n' | '\r' | '{' | '}' | '[' | ']' | ':' | ',' | '"');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let mut view = View::default();
        view.plain(word, self.base + self.at);
        self.at += word.len();
        self.push(view, Form::Bare);
    }

    fn string(&mut self) {
        let mut view = View::default();
        let mut from = self.at + 1;
        self.at = from;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) = rest.find(['"', '\\']) else {
                self.at = self.text.len();
                view.plain(&self.text[from..], self.base + from);
                break;
            };
            self.at += length;
            if rest.as_bytes()[length] == b'"' {
                view.plain(&self.text[from..self.at], self.base + from);
                self.at += 1;
                break;
            }
            match escape(&rest[length..]) {
                Some((character, length)) => {
                    view.plain(&self.text[from..self.at], self.base + from);
                    let start = self.base + self.at;
                    view.escape(character, start..start + length);
                    self.at += length;
                    from = self.at;
                }
                // No escape after all: the backslash is text.
                None => self.at += 1,
            }
        }
        self.string_found(view);
    }

    fn string_found(&mut self, view: View) {
        match self.stack.last_mut() {
            Some(Level::Object { key, expects_key: true }) => {
                key.clone_from(&view.text);
                self.found.scalars.push(Scalar { view, form: Form::Key, key: None, path: String::new() });
            }
            _ => self.push(view, Form::Text),
        }
    }

    fn push(&mut self, view: View, form: Form) {
        let key = match self.stack.last() {
            Some(Level::Object { key, .. }) => Some(key.clone()),
            _ => None,
        };
        let path = self.path();
        self.found.scalars.push(Scalar { view, form, key, path });
    }

    fn path(&self) -> String {
        if self.stack.len() > PATH_MAX {
            return String::new();
        }
        let steps = self.stack.iter().map(|level| match level {
            Level::Object { key, .. } => format!("/{key}"),
            Level::List { position } => format!("/{position}"),
        });
        steps.collect()
    }
}

/// Reads the escape at the beginning of the text: its character and its length in bytes.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let first = unit(0)?;
    let second = text.get(6..8).filter(|next| *next == "\\u").and_then(|_| unit(6));
    let mut units = [Some(first), second].into_iter().flatten();
    match char::decode_utf16(units.by_ref()).next()? {
        Ok(character) if character.len_utf16() == 2 => Some((character, 12)),
        Ok(character) => Some((character, 6)),
        // Half a pair stands for nothing that could be looked for.
        Err(_) => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalars(text: &str) -> Vec<(String, String)> {
        read(text, 0).scalars.into_iter().map(|scalar| (scalar.path, scalar.view.text)).collect()
    }

    #[test]
    fn strings_and_numbers_are_found_with_their_paths() {
        let found = scalars(r#"{"a":[{"b":"x\u0040y"},12],"c":null}"#);

        let pairs: Vec<_> = found.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        assert_eq!(
            pairs,
            [("", "a"), ("", "b"), ("/a/0/b", "x@y"), ("/a/1", "12"), ("", "c"), ("/c", "null")]
        );
    }

    #[test]
    fn what_is_cut_or_broken_is_read_to_its_end() {
        for text in [
            r#"{"a":"b"#,
            r#"{"a":"b\"#,
            r#"{"a":"\u00"#,
            r#""\ud83d""#,
            "}}]]<html>",
            r#"{"a""b",,"#,
            "[\u{c}]",
        ] {
            assert!(!scalars(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn tokens_are_told_apart_whole_or_cut() {
        let tokens = |text: &str| -> Vec<String> {
            read(text, 0).tokens.iter().map(|range| text[range.clone()].to_owned()).collect()
        };

        assert_eq!(
            tokens(r#"{"logprobs":{"content":[{"token":"a"}]},"x":[{"logprobs":null},{"logprobs":[1]}]}"#),
            [r#"{"content":[{"token":"a"}]}"#, "[1]"]
        );
        assert_eq!(tokens(r#"{"logprobs":{"content":[{"tok"#), [r#"{"content":[{"tok"#]);
    }

    #[test]
    fn a_range_of_the_text_leads_back_to_the_bytes() {
        let text = r#"["\ud83d\ude00 a\u0040b"]"#;
        let view = read(text, 0).scalars.remove(0).view;

        let at = view.text.find("a@b").unwrap();

        let raw = view.raw(&(at..at + 3));
        assert_eq!(raw.iter().map(|range| &text[range.clone()]).collect::<Vec<_>>(), [r"a\u0040b"]);
    }
}
