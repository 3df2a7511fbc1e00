//! Conditions on a request.
//!
//! Invariant: whatever can be prepared (regular expressions, JSON pointers, names of headers) is
//! prepared while the script is read, so that a condition that does not hold allocates nothing.

use std::{collections::BTreeMap, fmt};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::{
    facts::{Facts, Surface},
    notation::{self, Notation, Short},
    request::Role,
};

/// A compiled regular expression may take so many bytes.
pub const REGEX_SIZE_MAX: usize = 1024 * 1024;

/// Conditions on a request; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The last user message contains this text, case included.
    pub contains: Option<String>,
    /// The last user message is this text.
    pub equals: Option<String>,
    /// The last user message matches this regular expression somewhere.
    pub regex: Option<Pattern>,
    /// The first system message is like this.
    pub system: Option<TextMatch>,
    /// Some message is like this.
    pub any_message: Option<MessageMatch>,
    /// There are so many messages of each role.
    pub messages: RoleCounts,
    /// The model, without the faults that are named behind it, is like this.
    pub model: Option<TextMatch>,
    /// The request's `user_id` is like this.
    pub user_id: Option<TextMatch>,
    /// The key is `sk-` and this name, or ends in these characters.
    pub key: Option<KeyMatch>,
    /// Whether a stream is asked for.
    pub stream: Option<bool>,
    /// The path, without its query, is this one.
    pub path: Option<String>,
    /// The format of the API that is spoken.
    pub surface: Option<Surface>,
    /// It is the nth request to a model since the start, the last reset or the last change of the
    /// script; the first is 1.
    pub nth: Option<Count>,
    /// It is the nth request on its connection; the first is 1.
    pub socket_nth: Option<Count>,
    /// These headers are like this; names are compared without case.
    pub header: BTreeMap<HeaderName, TextMatch>,
    /// At these places of the body (JSON pointers, RFC 6901) stand such values.
    pub json: BTreeMap<Pointer, JsonMatch>,
}

impl Match {
    /// Says whether all conditions hold for the nth request.
    pub(crate) fn holds(&self, nth: u64, facts: &Facts<'_>) -> bool {
        self.holds_for_head(nth, facts) && self.holds_for_texts(facts) && self.holds_for_json(facts)
    }

    /// The cheap ones.
    fn holds_for_head(&self, nth: u64, facts: &Facts<'_>) -> bool {
        holds(self.nth.as_ref(), |count| count.holds(nth))
            && holds(self.socket_nth.as_ref(), |count| count.holds(facts.socket_nth))
            && holds(self.stream.as_ref(), |stream| *stream == facts.chat.streams())
            && holds(self.surface.as_ref(), |surface| *surface == facts.surface())
            && holds(self.path.as_ref(), |path| path == facts.path)
            && holds(self.model.as_ref(), |model| model.holds(Some(facts.chat.base_model())))
            && holds(self.user_id.as_ref(), |user| user.holds(facts.chat.user_id.as_deref()))
            && holds(self.key.as_ref(), |key| key.holds(facts.key))
            && self.header.iter().all(|(name, value)| value.holds(facts.header(&name.0)))
    }

    fn holds_for_texts(&self, facts: &Facts<'_>) -> bool {
        holds(self.contains.as_ref(), |text| facts.last_user_text().contains(text))
            && holds(self.equals.as_ref(), |text| facts.last_user_text() == text)
            && holds(self.regex.as_ref(), |pattern| pattern.0.is_match(facts.last_user_text()))
            && holds(self.system.as_ref(), |system| system.holds(facts.system_text()))
            && self.messages.holds(facts)
            && holds(self.any_message.as_ref(), |message| message.holds(facts))
    }

    fn holds_for_json(&self, facts: &Facts<'_>) -> bool {
        self.json
            .iter()
            .all(|(pointer, wanted)| wanted.holds(facts.json().and_then(|body| pointer.find(body))))
    }
}

fn holds<T>(condition: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
    condition.is_none_or(test)
}

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

impl TextMatch {
    fn holds(&self, text: Option<&str>) -> bool {
        let Some(text) = text else { return self.exists == Some(false) };
        self.exists != Some(false)
            && holds(self.equals.as_ref(), |wanted| text == wanted)
            && holds(self.contains.as_ref(), |wanted| text.contains(wanted))
            && holds(self.ends_with.as_ref(), |wanted| text.ends_with(wanted))
            && holds(self.regex.as_ref(), |pattern| pattern.0.is_match(text))
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
        Some(Ok(Self { equals: Some(text.to_owned()), ..Self::default() }))
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
    fn holds(&self, key: &str) -> bool {
        match self {
            Self::Tail(tail) => key.ends_with(tail.as_str()),
            Self::Whole(text) => text.holds(Some(key)),
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

/// A condition on some message.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageMatch {
    /// Of this role; any when it is left out.
    #[serde(deserialize_with = "role")]
    pub(crate) role: Option<Role>,
    /// It is this text.
    pub equals: Option<String>,
    /// It contains this text.
    pub contains: Option<String>,
    /// It matches somewhere.
    pub regex: Option<Pattern>,
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    Role::deserialize(deserializer).map(Some)
}

impl MessageMatch {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        facts.texts().iter().any(|(role, text)| {
            holds(self.role.as_ref(), |wanted| wanted == role)
                && holds(self.equals.as_ref(), |wanted| text == wanted)
                && holds(self.contains.as_ref(), |wanted| text.contains(wanted))
                && holds(self.regex.as_ref(), |pattern| pattern.0.is_match(text))
        })
    }
}

/// How many messages there are of each role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleCounts {
    /// Of the operator.
    pub system: Option<Count>,
    /// Of the user.
    pub user: Option<Count>,
    /// Of the model.
    pub assistant: Option<Count>,
    /// Of tools.
    pub tool: Option<Count>,
    /// Of all roles together.
    pub total: Option<Count>,
}

impl RoleCounts {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let messages = &facts.chat.messages;
        let of = |role| messages.iter().filter(|message| message.role == role).count();
        let wanted = [
            (self.system, Role::System),
            (self.user, Role::User),
            (self.assistant, Role::Assistant),
            (self.tool, Role::Tool),
        ];
        holds(self.total.as_ref(), |count| count.holds(messages.len() as u64))
            && wanted.iter().all(|(count, role)| holds(count.as_ref(), |count| count.holds(of(*role) as u64)))
    }
}

/// A condition on a number that counts; a bare number means exactly so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The least.
    pub at_least: u64,
    /// The most.
    pub at_most: u64,
    /// Counted from the least, every one (1), every second (2) and so on.
    pub every: u64,
}

impl From<u64> for Count {
    fn from(exactly: u64) -> Self {
        Self { at_least: exactly, at_most: exactly, every: 1 }
    }
}

impl Count {
    fn holds(self, number: u64) -> bool {
        (self.at_least..=self.at_most).contains(&number)
            && (number - self.at_least).is_multiple_of(self.every.max(1))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongCount {
    at_least: Option<u64>,
    at_most: Option<u64>,
    every: Option<u64>,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for Count {
    type Long = LongCount;
    const EXPECTED: &'static str =
        "a whole number, or a table such as `{ at_least = 2, at_most = 5 }` or `{ every = 3 }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Whole(number) = short else { return None };
        Some(u64::try_from(number).map(Self::from).map_err(|_| "a count is not below 0".to_owned()))
    }

    fn long(long: LongCount) -> Result<Self, String> {
        let every = long.every.unwrap_or(1);
        // `every = 3` alone means the 3rd, the 6th and so on.
        let at_least = long.at_least.or(long.every).unwrap_or(0);
        let at_most = long.at_most.unwrap_or(u64::MAX);
        match (every, at_least <= at_most) {
            (0, _) => Err("`every` is 1 at least".to_owned()),
            (_, false) => Err(format!("`at_most` is below {at_least}: no number fits")),
            _ => Ok(Self { at_least, at_most, every }),
        }
    }
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

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

/// A place in a JSON document (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Token {
    key: String,
    /// The key as the index of a list, where it is one.
    index: Option<usize>,
}

impl Pointer {
    /// Reads a pointer; the error is a line in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}` is not a JSON pointer: {why}");
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let path = text
            .strip_prefix('/')
            .ok_or_else(|| wrong("it begins with `/`, as in `/tools/0/function/name`"))?;
        path.split('/')
            .map(|token| Token::new(token).ok_or_else(|| wrong("write `~0` for `~` and `~1` for `/`")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |value, token| match value {
            Value::Object(fields) => fields.get(&token.key),
            Value::Array(items) => items.get(token.index?),
            _ => None,
        })
    }
}

impl Token {
    fn new(text: &str) -> Option<Self> {
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let key = text.replace("~1", "/").replace("~0", "~");
        let index = key.parse().ok().filter(|_| key == "0" || !key.starts_with(['0', '+']));
        escapes.then_some(Self { key, index })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.key.replace('~', "~0").replace('/', "~1")))
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A condition on a JSON value; in a script, what is no table means `equals`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonMatch {
    /// It is this value; numbers are compared by what they are worth.
    pub equals: Option<Value>,
    /// A text that contains this text, a list that has this item, or an object that has this key.
    pub contains: Option<Value>,
    /// It is a text that matches somewhere.
    pub regex: Option<Pattern>,
    /// It is there (`null` counts), or it is not.
    pub exists: Option<bool>,
}

impl JsonMatch {
    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return self.exists == Some(false) };
        self.exists != Some(false)
            && holds(self.equals.as_ref(), |wanted| same(wanted, value))
            && holds(self.contains.as_ref(), |part| has(value, part))
            && holds(self.regex.as_ref(), |pattern| {
                value.as_str().is_some_and(|text| pattern.0.is_match(text))
            })
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => one == other,
    }
}

fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(text), Value::String(part)) => text.contains(part),
        (Value::Array(items), _) => items.iter().any(|item| same(item, part)),
        (Value::Object(fields), Value::String(key)) => fields.contains_key(key),
        _ => false,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongJson {
    equals: Option<Value>,
    contains: Option<Value>,
    regex: Option<Pattern>,
    exists: Option<bool>,
}

impl<'de> Deserialize<'de> for JsonMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if !value.is_object() {
            return Ok(Self { equals: Some(value), ..Self::default() });
        }
        let LongJson { equals, contains, regex, exists } =
            serde_json::from_value(value).map_err(D::Error::custom)?;
        let found = Self { equals, contains, regex, exists };
        if found == Self::default() {
            return Err(D::Error::custom(
                "no condition is given: write `equals`, `contains`, `regex` or `exists`",
            ));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
