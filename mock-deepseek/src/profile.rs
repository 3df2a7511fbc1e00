//! The API as it is, and as it was: models, limits and wordings that have changed (DEEPSEEK A3, A4).
//!
//! Invariant: what differs between the two is asked here; nothing else knows a year.

use std::str::FromStr;

/// A state of DeepSeek's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiProfile {
    /// As of autumn 2026: one model that thinks unless told otherwise, a context of a million tokens,
    /// every error in JSON with the id of the request.
    #[default]
    Current,
    /// As it was in 2025: `deepseek-chat` and `deepseek-reasoner`, 128K of context, replies of 8K,
    /// errors of parsing as text with 422.
    Y2025,
}

/// There is no such state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("API profile `{0}` does not exist; choose `current` or `2025`")]
pub struct NoSuchProfile(String);

impl FromStr for ApiProfile {
    type Err = NoSuchProfile;

    fn from_str(text: &str) -> Result<Self, NoSuchProfile> {
        match text {
            "current" => Ok(Self::Current),
            "2025" => Ok(Self::Y2025),
            _ => Err(NoSuchProfile(text.to_owned())),
        }
    }
}

/// A name that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    /// Whether `/models` names it.
    pub(crate) listed: bool,
    /// The model that the reply names.
    pub(crate) answers_as: &'static str,
    pub(crate) thinking: ThinkingRule,
}

/// When a model thinks before it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingRule {
    /// Unless the request says otherwise.
    Asked,
    Never,
    Always,
}

const fn model(name: &'static str, listed: bool, answers_as: &'static str) -> Model {
    Model { name, listed, answers_as, thinking: ThinkingRule::Asked }
}

const CURRENT: [Model; 4] = [
    model("deepseek-flash", true, "deepseek-flash"),
    model("deepseek-v4-flash", true, "deepseek-v4-flash"),
    // Since 2026-09-14 flash answers for it.
    model("deepseek-v4-pro", true, "deepseek-flash"),
    model("deepseek-v4-flash-vision-exp", false, "deepseek-v4-flash-vision-exp"),
];

const OLD: [Model; 2] = [
    Model { thinking: ThinkingRule::Never, ..model("deepseek-chat", true, "deepseek-chat") },
    Model { thinking: ThinkingRule::Always, ..model("deepseek-reasoner", true, "deepseek-reasoner") },
];

impl ApiProfile {
    /// Returns all names that are accepted.
    pub(crate) const fn models(self) -> &'static [Model] {
        match self {
            Self::Current => &CURRENT,
            Self::Y2025 => &OLD,
        }
    }

    /// Returns what the API says about a model that it does not know.
    pub(crate) fn no_such_model(self, name: &str) -> String {
        match self {
            Self::Current => format!(
                "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed {name}."
            ),
            Self::Y2025 => "Model Not Exist".to_owned(),
        }
    }

    /// Returns how many tokens prompt and reply may have together.
    pub(crate) const fn window(self) -> usize {
        match self {
            Self::Current => 1_048_576,
            Self::Y2025 => 131_072,
        }
    }

    /// Returns how many tokens a reply may have.
    pub(crate) const fn reply_max(self) -> i64 {
        match self {
            Self::Current => 393_216,
            Self::Y2025 => 8192,
        }
    }

    /// Returns how many tokens a reply may have when the request does not say.
    pub(crate) const fn reply_default(self, thinks: bool, most_effort: bool) -> usize {
        match (self, thinks, most_effort) {
            (Self::Y2025, ..) => 4096,
            (Self::Current, false, _) => 8192,
            (Self::Current, true, false) => 65_536,
            (Self::Current, true, true) => 131_072,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
        assert_eq!("2025".parse(), Ok(ApiProfile::Y2025));
        assert_eq!(
            "2024".parse::<ApiProfile>().unwrap_err().to_string(),
            "API profile `2024` does not exist; choose `current` or `2025`"
        );
    }
}
