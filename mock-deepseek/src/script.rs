//! The script: which request gets which reply, faults and pace, and what the account allows.
//!
//! A script is valid by construction: unknown keys, unknown faults, unknown parameters and rules that
//! contradict themselves are refused while it is read, with line, column and a caret. Choosing a rule
//! for a request is the [selector](crate::select)'s job.

mod error;
mod profile;

use serde::{Deserialize, Deserializer, de::Error as _};

pub use error::ScriptError;
pub use profile::UnknownProfile;

use crate::{
    delay::share,
    fault::Fault,
    matching::Match,
    pace::Pace,
    state::{self, Balance, Limits},
};

/// The longest script.
pub const SCRIPT_MAX: usize = 1024 * 1024;

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
#[serde(deny_unknown_fields, default, remote = "Self")]
pub struct Script {
    /// Tried from the first to the last; the first that holds answers.
    #[serde(deserialize_with = "rules")]
    pub rules: Vec<Rule>,
    /// What answers when no rule holds.
    pub default: DefaultRule,
    /// What the account allows; nothing is counted when it is left out.
    pub limits: Limits,
    /// The money of the account; nothing is paid when it is left out.
    pub balance: Option<Balance>,
}

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let script = Self::deserialize(deserializer)?;
        state::check(&script.limits, script.balance.as_ref())?;
        Ok(script)
    }
}

impl Script {
    /// Reads a script of [`SCRIPT_MAX`] bytes at most; the error shows line, column and what is known there.
    pub fn from_toml(text: &str) -> Result<Self, ScriptError> {
        if text.len() > SCRIPT_MAX {
            let message = format!("it is longer than {SCRIPT_MAX} bytes; make it shorter or split it");
            return Err(ScriptError::at(text, 0..0, &message));
        }
        // Files of some editors begin with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        toml::from_str(text).map_err(|error| ScriptError::new(text, &error))
    }

    /// Makes a script that answers every request with these faults. One of
    /// [`Layer::Address`](crate::Layer::Address) among them never fires: see [`Fault::inside`].
    pub fn with_faults(faults: impl IntoIterator<Item = Fault>) -> Self {
        let default = DefaultRule { faults: faults.into_iter().collect(), ..DefaultRule::default() };
        Self { default, ..Self::default() }
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
    /// A rule that matches answers only with this probability; else the next one is tried.
    #[serde(deserialize_with = "some_share")]
    pub chance: Option<f64>,
    /// Once its `chance` has come up, the rule answers so many requests in a row.
    pub burst: Option<u32>,
    /// What the model says.
    pub reply: Reply,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How fast it goes; the default rule's pace when it is left out.
    pub pace: Option<Pace>,
    /// One answer after the other instead of always the same.
    pub sequence: Option<Vec<Variant>>,
    /// What follows the last of the `sequence`; `repeat-last` when it is left out.
    pub then: Option<Then>,
    /// One of these answers, by weight, instead of always the same.
    pub choose: Option<Vec<Variant>>,
}

/// One of the answers of a rule. What is left out is as the rule says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Variant {
    /// Shown in the journal behind the rule's name; its position stands for it when it is left out.
    pub name: Option<String>,
    /// In a `sequence`: so many requests get it before the next one; 1 when it is left out.
    pub times: Option<u32>,
    /// In `choose`: how likely it is beside the others; 1 when it is left out.
    #[serde(deserialize_with = "weight")]
    pub weight: Option<f64>,
    /// What the model says.
    pub reply: Option<Reply>,
    /// What goes wrong.
    pub faults: Option<Vec<Fault>>,
    /// How fast it goes.
    pub pace: Option<Pace>,
}

/// What follows the last step of a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The last step, again and again.
    #[default]
    RepeatLast,
    /// The next rules are tried.
    FallThrough,
    /// The first step, and so on.
    StartOver,
}

/// Reads the rules. What contradicts itself is told by the rule's position, because of tables under a
/// header of their own (`[[rules]]`) no error knows the place.
fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rule>, D::Error> {
    let rules = Vec::<Rule>::deserialize(deserializer)?;
    let wrong = rules.iter().zip(1..).find_map(|(rule, position)| Some((position, rule.contradiction()?)));
    match wrong {
        Some((position, contradiction)) => {
            Err(D::Error::custom(format!("{RULE}{position}: {contradiction}")))
        }
        None => Ok(rules),
    }
}

/// How messages about one rule begin.
const RULE: &str = "rule ";

impl Rule {
    /// Says what does not go together.
    fn contradiction(&self) -> Option<&'static str> {
        let (sequence, choose) = (self.sequence.as_deref(), self.choose.as_deref());
        let all = || sequence.into_iter().chain(choose).flatten();
        Some(match (sequence, choose) {
            (Some(_), Some(_)) => "`choose` and `sequence` cannot be in one rule: make two rules of it",
            (Some([]), _) => {
                "`sequence` is empty: write at least one answer, such as `{ faults = [\"too-busy-503\"] }`"
            }
            (_, Some([])) => "`choose` is empty: write at least one answer, such as `{ weight = 1 }`",
            (None, _) if self.then.is_some() => "`then` belongs to a `sequence`: add one, or take `then` out",
            _ if self.burst.is_some() && self.chance.is_none() => {
                "`burst` needs a `chance`: without one the rule answers always; `times` limits it"
            }
            _ if self.burst == Some(0) => "`burst` is 1 at least",
            (Some(_), _) if all().any(|variant| variant.weight.is_some()) => {
                "`weight` belongs to `choose`: in a `sequence` say how often by `times`"
            }
            (_, Some(_)) if all().any(|variant| variant.times.is_some()) => {
                "`times` belongs to a `sequence`: in `choose` say how likely by `weight`"
            }
            (Some(_), _) if all().any(|variant| variant.times == Some(0)) => {
                "`times` is 1 at least in a `sequence`"
            }
            (_, Some(_)) if all().all(|variant| variant.weight == Some(0.0)) => {
                "`weight` is 0 everywhere: nothing can be chosen"
            }
            _ => return None,
        })
    }
}

fn some_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    share(deserializer).map(Some)
}

/// The largest weight.
const WEIGHT_MAX: f64 = 1e9;

fn weight<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let weight = f64::deserialize(deserializer)?;
    if (0.0..=WEIGHT_MAX).contains(&weight) {
        return Ok(Some(weight));
    }
    Err(D::Error::custom(
        "a weight is a number from 0 to 1e9; what counts is how it compares with the others",
    ))
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

#[cfg(test)]
mod tests;
