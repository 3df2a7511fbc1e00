//! The headers of a request: names in lower case, in order of arrival.
//!
//! Invariant: of the headers that hold a key only the last four characters of it are kept here, so
//! that they may go into the journal; the key itself travels beside them, in [`Credentials`].

use std::{fmt, mem};

/// Of a shorter key nothing is shown: four characters would tell too much.
const TELLTALE_KEY_MIN: usize = 12;
/// So many of its last characters are shown.
const TELLTALE: usize = 4;
/// Text that the headers of most requests fit into.
const USUAL: usize = 512;

/// All headers of a request, in one piece of memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers {
    /// Names and values, one after the other.
    text: String,
    /// Where each name and each value ends in it.
    ends: Vec<(usize, usize)>,
}

/// What a client proves itself with, as it came.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// The `Authorization` header.
    pub(crate) authorization: Option<String>,
    /// The `x-api-key` header.
    pub(crate) api_key: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

impl Headers {
    /// Begins an empty list with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { text: String::with_capacity(USUAL), ends: Vec::with_capacity(count) }
    }

    /// Adds a header; bytes that are not UTF-8 are replaced, keys are put aside and shortened.
    pub(crate) fn push(&mut self, name: &str, value: &[u8], credentials: &mut Credentials) {
        let start = self.text.len();
        self.text.push_str(name);
        self.text[start..].make_ascii_lowercase();
        let middle = self.text.len();
        let value = String::from_utf8_lossy(value);
        let aside = match &self.text[start..middle] {
            "authorization" => Some(&mut credentials.authorization),
            "x-api-key" => Some(&mut credentials.api_key),
            _ => None,
        };
        match aside {
            Some(aside) => {
                push_hidden(&mut self.text, &value);
                aside.get_or_insert_with(|| value.into_owned());
            }
            None => self.text.push_str(&value),
        }
        self.ends.push((middle, self.text.len()));
    }

    /// Returns the first value of this name, which is in lower case. Keys are shown shortened.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Returns names and values as they came: a key is taken from where it was put aside, once.
    pub(crate) fn revealed(&self, credentials: &Credentials) -> Vec<(String, String)> {
        let mut aside = credentials.clone();
        let shown = self.iter().filter_map(|(name, value)| {
            let value = match name {
                "authorization" => aside.authorization.take()?,
                "x-api-key" => aside.api_key.take()?,
                _ => value.to_owned(),
            };
            Some((name.to_owned(), value))
        });
        shown.collect()
    }

    /// Goes through names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(middle, end)| {
            let begin = mem::replace(&mut start, end);
            (&self.text[begin..middle], &self.text[middle..end])
        })
    }

    /// Returns how many bytes they take.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<(usize, usize)>()
    }

    /// Becomes a copy in the memory that is there, of which `kept` bytes stay at most.
    pub(crate) fn copy(&mut self, other: &Self, kept: usize) {
        self.text.clone_from(&other.text);
        self.text.shrink_to(kept);
        self.ends.clone_from(&other.ends);
        self.ends.shrink_to(kept / size_of::<(usize, usize)>());
    }
}

/// Appends what may be shown of a key: the scheme before it, and its last four characters if it has many.
fn push_hidden(text: &mut String, value: &str) {
    let (scheme, key) = value.split_once(' ').map_or(("", value), |(scheme, key)| (scheme, key));
    let from_end = key.char_indices().rev().map(|(at, _)| at);
    let tail = match (from_end.clone().nth(TELLTALE - 1), from_end.clone().nth(TELLTALE_KEY_MIN - 1)) {
        (Some(at), Some(_)) => &key[at..],
        _ => "",
    };
    text.push_str(scheme);
    text.push_str(if scheme.is_empty() { "****" } else { " ****" });
    text.push_str(tail);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_four_characters_remain_at_most() {
        let hidden = |value: &str| {
            let (mut headers, mut credentials) = (Headers::default(), Credentials::default());
            headers.push("Authorization", value.as_bytes(), &mut credentials);
            assert_eq!(credentials.authorization.as_deref(), Some(value));
            assert_eq!(headers.revealed(&credentials), [("authorization".to_owned(), value.to_owned())]);
            headers.get("authorization").unwrap().to_owned()
        };

        assert_eq!(hidden("Bearer sk-secret-cd15"), "Bearer ****cd15");
        assert_eq!(hidden("Bearer sk-1"), "Bearer ****");
        assert_eq!(hidden("whatever-cd15"), "****cd15");
    }

    #[test]
    fn names_are_found_in_lower_case_and_the_first_value_counts() {
        let mut headers = Headers::default();
        for (name, value) in [("X-Mock-Fault", &b"crlf"[..]), ("x-mock-fault", b"bom"), ("x-bytes", b"a\xFF")]
        {
            headers.push(name, value, &mut Credentials::default());
        }

        assert_eq!((headers.get("x-mock-fault"), headers.get("x-bytes")), (Some("crlf"), Some("a\u{FFFD}")));
    }
}
