//! The script: which request gets which reply, faults and pace.
//!
//! A script is valid by construction: unknown keys, unknown faults and unknown parameters are
//! refused while it is read, by name. Choosing a rule for a request is the [selector](crate::select)'s job.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{duration, fault::Fault};

/// Rules tried in order, and what to do when none holds.
///
/// ```
/// let script = mock_deepseek::Script::from_toml(r#"
///     [[rules]]
///     match = { contains = "week" }
///     times = 1
///     reply = { text = "You are in week 12." }
///     faults = [{ id = "stall", after_events = 3 }]
///
///     [default]
///     pace = { first_token = "300ms", gap = "15ms" }
/// "#)?;
/// assert_eq!(script.rules.len(), 1);
/// # Ok::<(), mock_deepseek::ScriptError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// Tried from the first to the last; the first that holds answers.
    pub rules: Vec<Rule>,
    /// What answers when no rule holds.
    pub default: DefaultRule,
}

/// A script could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("script cannot be read: {0}")]
pub struct ScriptError(#[from] toml::de::Error);

impl Script {
    /// Reads a script; the error shows line and key.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        Ok(toml::from_str(text)?)
    }

    /// Makes a script that answers every request with these faults. One of
    /// [`Layer::Address`](crate::Layer::Address) among them never fires: see [`Fault::inside`].
    pub fn with_faults(faults: impl IntoIterator<Item = Fault>) -> Self {
        let default = DefaultRule { faults: faults.into_iter().collect(), ..DefaultRule::default() };
        Self { rules: Vec::new(), default }
    }
}

/// What to answer to the requests that match.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Shown in the journal; the rule's position stands for it when it is left out.
    pub name: Option<String>,
    /// When the rule holds; always, when it is empty.
    #[serde(rename = "match")]
    pub matches: Match,
    /// The rule answers at most so many requests; then the next one is tried.
    pub times: Option<u32>,
    /// What the model says.
    pub reply: Reply,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How fast it goes; the default rule's pace when it is left out.
    pub pace: Option<Pace>,
}

/// What to answer when no rule holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefaultRule {
    /// What the model says.
    pub reply: Reply,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How fast it goes; as fast as the machine when it is left out.
    pub pace: Option<Pace>,
}

/// Conditions on a request; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The last user message contains this text, case included.
    pub contains: Option<String>,
    /// The model is this one.
    pub model: Option<String>,
    /// The request's `user_id` is this one.
    pub user_id: Option<String>,
    /// It is the nth chat request since the start, the last reset or the last change of the script;
    /// the first is 1.
    pub nth: Option<u64>,
    /// These headers have these values; names are compared without case.
    pub header: BTreeMap<String, String>,
}

/// What the model says. What is left out is filled in sensibly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    /// The visible text; a few sentences of the mock's own when it is left out.
    pub text: Option<String>,
    /// The thinking before it; empty for none. When it is left out, the request decides.
    pub thinking: Option<String>,
    /// The finish reason; `stop` when it is left out, or `length` when `max_tokens` cuts the reply.
    pub finish: Option<FinishReason>,
    /// How many tokens come in one event; 1 when it is left out.
    pub tokens_per_chunk: Option<usize>,
    /// The exact deltas of the visible text, instead of `text`.
    pub pieces: Option<Vec<String>>,
    /// The tools to call, after the text if there is one; only when the request offers tools.
    pub calls: Option<Vec<ScriptedCall>>,
}

/// A tool call that the model makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedCall {
    /// The function.
    pub name: String,
    /// Its arguments: a table, or text that is sent as it is. When they are left out, they are made up
    /// so that they satisfy the function's schema.
    #[serde(default)]
    pub arguments: Option<serde_json::Value>,
}

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The reply is complete.
    Stop,
    /// `max_tokens` was reached.
    Length,
    /// Moderation cut it.
    ContentFilter,
    /// Tools are to be called.
    ToolCalls,
    /// DeepSeek ran out of resources.
    InsufficientSystemResource,
    /// Generation was aborted.
    Aborted,
}

impl FinishReason {
    /// Returns the word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::ToolCalls => "tool_calls",
            Self::InsufficientSystemResource => "insufficient_system_resource",
            Self::Aborted => "aborted",
        }
    }
}

/// How fast the model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// From the head of the answer to the first event.
    #[serde(deserialize_with = "duration::deserialize")]
    pub first_token: Duration,
    /// Between two events that carry tokens.
    #[serde(deserialize_with = "duration::deserialize")]
    pub gap: Duration,
    /// Whether events that are due at the same moment are written together.
    pub flush: Flush,
}

/// How the events of a stream are handed to the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flush {
    /// What is due at the same moment goes out in one write.
    #[default]
    Merge,
    /// Each event goes out in a write of its own.
    Event,
}

impl Pace {
    /// DeepSeek on a quiet day: 0.8 s to the first token, then 65 tokens a second
    /// (DEEPSEEK A9: experientiallabs/experiential#962, moonbitlang/openseek#74).
    pub const LIVE: Self =
        Self { first_token: Duration::from_millis(800), gap: Duration::from_millis(15), flush: Flush::Merge };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Script::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn a_script_may_use_every_key() {
        let script = Script::from_toml(
            r#"
            [[rules]]
            name = "weeks"
            match = { contains = "week", model = "deepseek-flash", user_id = "u", nth = 3, header = { "X-A" = "b" } }
            times = 5
            reply = { text = "a", thinking = "b", finish = "length", tokens_per_chunk = 2, pieces = ["a"], calls = [{ name = "f", arguments = { week = 12 } }] }
            faults = ["too-busy-503", { id = "stall", after_events = 3 }]
            pace = { first_token = "1s", gap = "100ms" }
            [default]
            reply = { text = "x" }
            "#,
        )
        .unwrap();

        assert_eq!(
            script.rules[0].faults.iter().map(Fault::id).collect::<Vec<_>>(),
            ["too-busy-503", "stall"]
        );
        assert_eq!(script.rules[0].pace.unwrap().gap, Duration::from_millis(100));
    }

    #[test]
    fn a_key_that_does_not_exist_is_named() {
        let message = error("[[rules]]\nmatch = { containz = \"week\" }\n");

        assert!(message.contains("unknown field `containz`") && message.contains("line 2"), "{message}");
    }

    #[test]
    fn a_fault_that_does_not_exist_is_named_with_the_nearest_one() {
        let message = error("[default]\nfaults = [\"to-busy-503\"]\n");

        assert!(message.contains("`to-busy-503`") && message.contains("`too-busy-503`"), "{message}");
    }

    #[test]
    fn a_parameter_that_does_not_exist_is_named_with_those_that_do() {
        let message = error("[default]\nfaults = [{ id = \"stall\", after = 3 }]\n");

        assert!(message.contains("no parameter `after`") && message.contains("`after_events`"), "{message}");
    }

    #[test]
    fn a_pace_without_a_unit_is_refused() {
        let message = error("[default]\npace = { gap = \"15\" }\n");

        assert!(message.contains("`15` is not a duration"), "{message}");
    }
}
