//! Conditions on a request.
//!
//! Here they are as scripts write them; [`Condition`] is how they are tried. Invariant: whatever can be
//! prepared (regular expressions, searches, JSON pointers, names of headers) is prepared while the
//! script is read, so that a condition that does not hold allocates nothing.

mod condition;
mod count;
mod json;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

pub(crate) use condition::{Condition, Patterns};
pub use count::Count;
pub use json::{JsonMatch, Pointer};
pub use text::{HeaderName, KeyMatch, Pattern, REGEX_SIZE_MAX, TextMatch};

use crate::{facts::Surface, request::Role};

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

#[cfg(test)]
mod tests;
