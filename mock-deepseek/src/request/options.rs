//! Settings of a request that are more than a number.

use serde::Deserialize;

use super::text_or::{Listed, TextOr};

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Thinking {
    #[serde(rename = "type")]
    pub(crate) mode: ThinkingMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ThinkingMode {
    Enabled,
    Disabled,
}

/// How hard to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
    Ultra,
}

impl Effort {
    /// Returns the level that it stands for: the API knows four.
    pub(crate) const fn level(self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Minimal | Self::Low => Self::Low,
            Self::Medium | Self::High | Self::Xhigh => Self::High,
            Self::Max | Self::Ultra => Self::Max,
        }
    }

    /// Returns its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
            Self::Ultra => "ultra",
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct ResponseFormat {
    #[serde(rename = "type")]
    pub(crate) kind: FormatKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatKind {
    Text,
    JsonObject,
    JsonSchema,
}

/// Where the reply is to end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "TextOr<String>")]
pub(crate) struct Stop(pub(crate) Vec<String>);

impl Listed for String {
    const EXPECTED: &'static str = "a string or an array of strings";
}

impl From<TextOr<String>> for Stop {
    fn from(texts: TextOr<String>) -> Self {
        match texts {
            TextOr::Text(text) => Self(vec![text]),
            TextOr::List(texts) => Self(texts),
        }
    }
}
