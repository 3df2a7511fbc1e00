//! Conditions on places of a JSON document.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::Pattern;

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

    pub(super) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
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
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else { return self.exists == Some(false) };
        self.exists != Some(false)
            && holds(self.equals.as_ref(), |wanted| same(wanted, value))
            && holds(self.contains.as_ref(), |part| has(value, part))
            && holds(self.regex.as_ref(), |pattern| value.as_str().is_some_and(|text| pattern.matches(text)))
    }
}

fn holds<T>(condition: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
    condition.is_none_or(test)
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
