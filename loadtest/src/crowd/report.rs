//! What a load of users found: a plain value, and the truth that every output is rendered from.
//!
//! Invariant: what was not measured is absent, never zero.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{figures::Figures, promise::Promise};
use crate::{
    machine::Machine,
    result::{Check, Outcome},
};

/// Version of the JSON format.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this format.
    pub schema_version: u32,
    /// The program and its version.
    pub tool: String,
    /// The command line.
    pub command: String,
    /// Wall time at the beginning.
    pub started_at: String,
    /// What it ran on.
    pub machine: Machine,
    /// Name or file of the profile.
    pub profile: String,
    /// What the profile shows.
    pub about: String,
    /// Name of the target.
    pub target: String,
    /// The profile as it was run, without what must hold.
    pub load: String,
    /// Of all that was left to chance.
    pub seed: u64,
    /// Users in all.
    pub users: usize,
    /// Measured time, in seconds.
    pub measured_s: f64,
    /// Values by name, in seconds, bytes, numbers and shares of a core.
    pub figures: Figures,
    /// How often each promise was broken, in the whole run.
    pub promises: BTreeMap<Promise, u64>,
    /// What was seen when it was broken for the first time.
    pub examples: BTreeMap<Promise, String>,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// Measured seconds, one after the other.
    pub seconds: Vec<Second>,
    /// What must hold, and whether it did.
    pub checks: Vec<Check>,
    /// What makes figures doubtful.
    pub warnings: Vec<String>,
}

/// A measured second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Second {
    /// Its end, in seconds since the first.
    pub at_s: f64,
    /// Turns that ended in it.
    pub turns: u64,
    /// Messages that were refused in it.
    pub refused: u64,
    /// From when a question was due to its first piece, of the turns that ended in this second.
    pub first_p50_ms: Option<f64>,
    /// As before.
    pub first_p99_ms: Option<f64>,
    /// As before.
    pub first_max_ms: Option<f64>,
    /// Sockets that are open.
    pub sockets: usize,
    /// Processor time of the target, as a share of a core.
    pub target_cpu: Option<f64>,
    /// Memory of the target in bytes.
    pub target_rss: Option<u64>,
    /// Processor time of the generator, as a share of a core.
    pub generator_cpu: Option<f64>,
}

/// Returns the JSON Schema of a report.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}

impl Report {
    /// Returns the worst outcome of all checks.
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Inconclusive)
    }

    /// Returns the report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// A report for tests of what is rendered from it.
#[cfg(test)]
pub(super) fn sample() -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: "gauntlet".to_owned(),
        command: "gauntlet load chat".to_owned(),
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        machine: Machine::default(),
        profile: "chat".to_owned(),
        about: "a sample".to_owned(),
        target: "a server".to_owned(),
        load: String::new(),
        seed: 1,
        users: 2,
        measured_s: 3.0,
        figures: Figures::from([("p99(turn.first_token)".to_owned(), 0.25)]),
        promises: BTreeMap::from([(Promise::WholeText, 1)]),
        examples: BTreeMap::from([(Promise::WholeText, "user 1 read <b>".to_owned())]),
        refused: BTreeMap::new(),
        seconds: Vec::new(),
        checks: Vec::new(),
        warnings: Vec::new(),
    }
}
