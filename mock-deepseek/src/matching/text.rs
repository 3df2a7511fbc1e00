//! Conditions on texts: messages, names, keys, headers.

use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::notation::{self, Notation, Short};

/// A compiled regular expression may take so many bytes.
pub const REGEX_SIZE_MAX: usize = 1024 * 1024;

/// A compiled regular expression; two are the same when they are written the same.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a regular expression; the error is a line in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let wrong = |error: regex::Error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!(
                    "regular expression takes more than {REGEX_SIZE_MAX} bytes when it is compiled: make it simpler"
                )
            }
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("regular expression cannot be read: {reason}")
            }
        };
        RegexBuilder::new(text).size_limit(REGEX_SIZE_MAX).build().map(Self).map_err(wrong)
    }

    /// Returns it as it was written.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Says whether it matches somewhere in the text.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Conditions on a text; a bare string in a script means `equals`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextMatch {
    /// It is this text.
    pub equals: Option<String>,
    /// It contains this text.
    pub contains: Option<String>,
    /// It ends in this text.
    pub ends_with: Option<String>,
    /// It matches somewhere.
    pub regex: Option<Pattern>,
    /// It is there, or it is not.
    pub exists: Option<bool>,
}

impl From<&str> for TextMatch {
    /// The text is this one.
    fn from(text: &str) -> Self {
        Self { equals: Some(text.to_owned()), ..Self::default() }
    }
}

impl TextMatch {
    /// Returns the tests that are given.
    pub(super) fn tests(self) -> impl Iterator<Item = TextTest> {
        [
            self.exists.map(|exists| if exists { TextTest::Exists } else { TextTest::Absent }),
            self.equals.map(|text| TextTest::Equals(text.into())),
            self.ends_with.map(|text| TextTest::EndsWith(text.into())),
            self.contains.map(|text| TextTest::contains(&text)),
            self.regex.map(TextTest::Matches),
        ]
        .into_iter()
        .flatten()
    }
}

/// One test of a text that may be missing.
#[derive(Clone, Debug)]
pub(crate) enum TextTest {
    Exists,
    Absent,
    Equals(Box<str>),
    EndsWith(Box<str>),
    /// A prepared search.
    Contains(Box<Finder<'static>>),
    Matches(Pattern),
}

impl TextTest {
    pub(super) fn contains(text: &str) -> Self {
        Self::Contains(Box::new(Finder::new(text).into_owned()))
    }

    pub(super) fn holds(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Absent, text) => text.is_none(),
            (_, None) => false,
            (Self::Exists, Some(_)) => true,
            (Self::Equals(wanted), Some(text)) => **wanted == *text,
            (Self::EndsWith(wanted), Some(text)) => text.ends_with(&**wanted),
            (Self::Contains(finder), Some(text)) => finder.find(text.as_bytes()).is_some(),
            (Self::Matches(pattern), Some(text)) => pattern.matches(text),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(crate) struct LongText {
    equals: Option<String>,
    contains: Option<String>,
    ends_with: Option<String>,
    regex: Option<Pattern>,
    exists: Option<bool>,
}

impl<'de> Deserialize<'de> for TextMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for TextMatch {
    type Long = LongText;
    const EXPECTED: &'static str = "a text, or a table such as `{ contains = \"…\" }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Text(text) = short else { return None };
        Some(Ok(text.into()))
    }

    fn long(long: LongText) -> Result<Self, String> {
        let LongText { equals, contains, ends_with, regex, exists } = long;
        let text = Self { equals, contains, ends_with, regex, exists };
        if text == Self::default() {
            return Err(
                "no condition is given: write `equals`, `contains`, `ends_with`, `regex` or `exists`"
                    .to_owned(),
            );
        }
        Ok(text)
    }
}

/// A condition on the key; a bare string means its name or its last characters.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyMatch {
    /// The key is `sk-` and this, or ends in this.
    Tail(String),
    /// The whole key, with its `sk-`, is like this.
    Whole(TextMatch),
}

impl KeyMatch {
    /// Returns the tests of the whole key.
    pub(super) fn tests(self) -> Vec<TextTest> {
        match self {
            Self::Tail(tail) => vec![TextTest::EndsWith(tail.into())],
            Self::Whole(text) => text.tests().collect(),
        }
    }
}

impl<'de> Deserialize<'de> for KeyMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for KeyMatch {
    type Long = LongText;
    const EXPECTED: &'static str =
        "the last characters of a key, or a table such as `{ equals = \"sk-alice\" }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Text(text) = short else { return None };
        Some(Ok(Self::Tail(text.to_owned())))
    }

    fn long(long: LongText) -> Result<Self, String> {
        TextMatch::long(long).map(Self::Whole)
    }
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(pub(super) String);

impl From<&str> for HeaderName {
    fn from(name: &str) -> Self {
        Self(name.to_ascii_lowercase())
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}
