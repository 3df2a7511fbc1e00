//! What a load of users found: a plain value, and the truth that every output is rendered from.
//!
//! Invariant: what was not measured is absent, never zero.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{cast::Part, figures::Figures, promise::Promise, sums::Sums};
use crate::{
    machine::Machine,
    result::{Check, Outcome},
};

/// Version of the JSON format.
pub const SCHEMA_VERSION: u32 = 2;

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
    /// What must hold beside the promises, as the profile or the command line says.
    pub thresholds: Vec<String>,
    /// Which part of the users were this generator's; none in a report of all of them.
    pub part: Option<Part>,
    /// Users that were there, at the last step if there were several.
    pub users: usize,
    /// Wall time at the beginning of what `sums` holds.
    pub measured_at: String,
    /// Counts and histograms of what was measured, at the last step if there were several: they can be added.
    pub sums: Sums,
    /// Values by name made of these, in seconds, bytes, numbers and shares of a core.
    pub figures: Figures,
    /// So many steps were to be taken.
    pub steps_planned: usize,
    /// Those that were taken, one after the other; none in a load of one step.
    pub steps: Vec<Step>,
    /// Times that the generator itself broke.
    pub panics: u64,
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

/// A step of a load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Users that were there.
    pub users: usize,
    /// Values by name.
    pub figures: Figures,
    /// What must hold, and whether it did here.
    pub checks: Vec<Check>,
}

impl Step {
    /// Returns the worst outcome of all checks.
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Held)
    }
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

    /// Says at which step something broke first, or else at which first nothing could be concluded, and how many users were
    /// carried before; nothing in a load of one step.
    pub fn limit(&self) -> Option<String> {
        let last = self.steps.last()?;
        let worst = self.steps.iter().map(Step::outcome).max()?;
        if worst == Outcome::Held && self.steps.len() == self.steps_planned {
            return Some(format!("all {} steps held, up to {} users", self.steps.len(), last.users));
        }
        let at = self.steps.iter().position(|step| step.outcome() == worst)?;
        let carried = self.steps.iter().take_while(|step| step.outcome() == Outcome::Held).last();
        let carried = carried.map_or(0, |step| step.users);
        let (number, users) = (at + 1, self.steps[at].users);
        let what = match worst {
            Outcome::Failed => "is the first to break",
            Outcome::Inconclusive => "concludes nothing",
            Outcome::Held => "is the last that was taken",
        };
        let check = self.steps[at].checks.iter().find(|check| check.outcome == worst);
        let why = check.map_or_else(String::new, |check| format!(": {}: {}", check.text, check.found));
        Some(format!("step {number} of {users} users {what}{why}; {carried} users were carried"))
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
        thresholds: Vec::new(),
        part: None,
        users: 2,
        measured_at: "2026-01-01T00:00:05Z".to_owned(),
        sums: Sums { measured_s: 3.0, ..Sums::default() },
        steps_planned: 1,
        steps: Vec::new(),
        panics: 0,
        figures: Figures::from([("p99(turn.first_token)".to_owned(), 0.25)]),
        promises: BTreeMap::from([(Promise::WholeText, 1)]),
        examples: BTreeMap::from([(Promise::WholeText, "user 1 read <b>".to_owned())]),
        refused: BTreeMap::new(),
        seconds: Vec::new(),
        checks: Vec::new(),
        warnings: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(users: usize, outcome: Outcome) -> Step {
        let check = Check { text: "p99(turn.added) < 2ms".to_owned(), found: format!("{users} us"), outcome };
        Step { users, figures: Figures::new(), checks: vec![check] }
    }

    #[test]
    fn the_first_step_that_breaks_is_named_with_what_broke_and_what_was_carried_l5() {
        use Outcome::{Failed, Held, Inconclusive};
        let limit = |outcomes: &[Outcome], steps_planned| {
            let steps = (1..).zip(outcomes).map(|(n, outcome)| step(100 * n, *outcome)).collect();
            Report { steps_planned, steps, ..sample() }.limit()
        };

        assert_eq!(
            limit(&[Held, Failed], 8).unwrap(),
            "step 2 of 200 users is the first to break: p99(turn.added) < 2ms: 200 us; 100 users were carried"
        );
        assert_eq!(limit(&[Held, Held], 2).unwrap(), "all 2 steps held, up to 200 users");
        assert!(limit(&[Failed], 8).unwrap().ends_with("100 us; 0 users were carried"));
        let doubtful = limit(&[Held, Inconclusive, Inconclusive], 3).unwrap();
        assert!(doubtful.starts_with("step 2 of 200 users concludes nothing: "), "{doubtful}");
        assert!(limit(&[Held, Inconclusive, Failed], 8).unwrap().ends_with("; 100 users were carried"));
        assert_eq!(limit(&[], 1), None);
    }
}
