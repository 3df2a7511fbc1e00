//! A scenario as it is written: one idea, declared, without logic.
//!
//! These types *are* the file format: unknown keys are refused everywhere, steps and expectations are
//! externally tagged so that an error points at the wrong word. [`crate::parse()`] makes a valid
//! [`Scenario`] of a text; nothing else does.

mod client;
mod expect;
mod matcher;
mod step;

use mock_deepseek::Script;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use client::{Client, ClientDoing, Manner, Opcode, Protocol, Resume, SendFrames, TIMES_MAX, WireFrame};
pub use expect::{Always, Eventually, Expect, History, HistoryCheck, Never, Sometimes, Subject, Window};
pub use matcher::{Ending, FrameMatch, HttpMatch, LogMatch, MetricMatch, SocketMatch, UpstreamMatch};
pub use step::{
    Await, Call, Decide, Device, DeviceName, Doing, Fault, Hangup, Method, Network, OtherFact, Send, SendRaw,
    Step, WriteFacts, Writing,
};

use crate::{
    expr::{Expr, Settings},
    parse::{ParseError, parse_for},
    result::Gap,
};

/// A name with its place in the file, for errors that point at it.
pub type Name = Spanned<String>;

/// The tables of a scenario file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Version of the format: 1.
    pub schema: u32,
    /// The fact that the scenario proves, as a sentence.
    pub name: String,
    /// Number of the testing gap (1 to 7) that this scenario stands for.
    pub gap: Option<u8>,
    /// Rows of the feature list that it shows, such as `F17`.
    #[serde(default)]
    pub features: Vec<String>,
    /// Groups that it belongs to.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Why the fact should hold, in one sentence.
    pub hypothesis: String,
    /// What the target must be able to do; otherwise the scenario is skipped.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Settings by dotted name: overrides on the built-in target, requirements on any other.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// What the model says: a script of mock-deepseek.
    #[serde(default)]
    #[schemars(with = "serde_json::Value")]
    pub llm: Script,
    /// The people.
    pub users: Vec<UserSpec>,
    /// The steady state before and after.
    #[serde(default)]
    pub steady: Steady,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What must be seen.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// The weakenings under which the scenario must fail.
    #[serde(default)]
    pub sabotage: Vec<Sabotage>,
}

/// A person with devices.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// Short name, `[a-z][a-z0-9]*`.
    #[schemars(with = "String")]
    pub name: Name,
    /// Preferred language; `en` when not given.
    #[serde(default = "english")]
    pub language: String,
    /// Whether the user is an administrator; the scenario then needs `admins`.
    #[serde(default)]
    pub admin: bool,
    /// Names of the devices; one called `phone` when not given.
    #[serde(default = "phone")]
    pub devices: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

fn phone() -> Vec<String> {
    vec!["phone".to_owned()]
}

/// The steady state: a turn of an uninvolved user is answered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Steady {
    /// After the steps, with a healthy model, a turn must be answered again within this time.
    pub recovers_within: Option<Expr>,
}

/// A protection that is taken away, and the check that must then break.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sabotage {
    /// What is taken away, in words.
    pub name: String,
    /// Settings that take it away.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// A part of the server that is replaced by a weaker one.
    #[schemars(with = "Option<String>")]
    pub part: Option<Name>,
    /// The id of the check that must break.
    #[schemars(with = "String")]
    pub caught_by: Name,
}

/// A valid scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Stable short name: the file's stem.
    pub id: String,
    /// Where it is written.
    pub file: String,
    /// The text of the file.
    pub source: String,
    /// The tables.
    pub tables: File,
}

impl Scenario {
    /// Returns the testing gap that the scenario stands for.
    pub fn gap(&self) -> Option<Gap> {
        let number = self.tables.gap?;
        Some(Gap { number, feature: format!("F{}", 126 + u16::from(number)) })
    }

    /// Reads the scenario again for a target with these settings, for the times that it names.
    pub(crate) fn resolved(&self, settings: &Settings) -> Result<Self, Box<ParseError>> {
        parse_for(&self.file, &self.source, settings)
    }

    /// Returns whether `word` selects this scenario: its id, a tag, a feature row, or part of the id.
    pub fn is_called(&self, word: &str) -> bool {
        self.id == word
            || self.tables.tags.iter().any(|tag| tag == word)
            || self.tables.features.iter().any(|feature| feature == word)
    }

    /// Orders the scenarios of the testing gaps first, then by id.
    pub fn order(&self) -> (u8, &str) {
        (self.tables.gap.unwrap_or(u8::MAX), &self.id)
    }
}
