//! What a run found, as plain values. Every report is rendered from these and from nothing else.
//!
//! `run.json` is this module serialised; its shape is versioned by [`SCHEMA_VERSION`]. Times inside a
//! scenario are microseconds since its start, on the scenario's own clock (virtual on the built-in
//! target, real elsewhere).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the shape of `run.json`; raised when a reader could break.
pub const SCHEMA_VERSION: u32 = 1;

/// The outcome of one scenario, from best to worst. The worst of a run decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All expectations held, every fault fired, every sample floor was met.
    Pass,
    /// Not run, for a stated reason.
    Skipped,
    /// Nothing was shown: no steady state before the fault, or a fault that never fired.
    Inconclusive,
    /// An expectation or an invariant broke.
    Fail,
    /// The harness or its environment broke.
    Error,
}

impl Verdict {
    /// Returns the word that reports show.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name and version of the program that ran.
    pub tool: String,
    /// Command line that repeats this run.
    pub command: String,
    /// Seed of everything random.
    pub seed: u64,
    /// What was judged: `builtin`, or the name in the target file.
    pub target: String,
    /// The target's effective settings by dotted name; durations as text with units. What a scenario
    /// chose for itself stands with the scenario.
    pub settings: std::collections::BTreeMap<String, Value>,
    /// When the run began (real time, RFC 3339).
    pub started_at: String,
    /// Real time that the run took, in milliseconds.
    pub elapsed_ms: u64,
    /// How many scenarios were to be run; more than there are below when the run was stopped early.
    pub planned: usize,
    /// Those of them that were not judged, by id, when the run was stopped early.
    #[serde(default)]
    pub unjudged: Vec<String>,
    /// The scenarios, testing gaps first, then by name.
    pub scenarios: Vec<ScenarioResult>,
    /// The kill matrix, if this run was to prove its scenarios.
    pub proof: Option<Proof>,
}

impl Run {
    /// Returns the worst verdict; [`Verdict::Pass`] when there is none.
    pub fn verdict(&self) -> Verdict {
        self.scenarios.iter().map(|scenario| scenario.verdict).max().unwrap_or(Verdict::Pass)
    }

    /// Returns whether the run was stopped before all that was planned had run.
    pub const fn was_cut_short(&self) -> bool {
        self.scenarios.len() < self.planned
    }

    /// Returns how many scenarios ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.scenarios.iter().filter(|scenario| scenario.verdict == verdict).count()
    }
}

/// One of the seven testing gaps of the requirements (F127 to F133).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// From 1 to 7, in the order of the requirements.
    pub number: u8,
    /// The feature row, `F127` to `F133`.
    pub feature: String,
}

/// What became of one scenario.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioResult {
    /// Stable short name: the file's stem.
    pub id: String,
    /// The fact that the scenario proves, as a sentence.
    pub name: String,
    /// Where the scenario is written, relative to the working folder or `library/…` for built-in ones.
    pub file: String,
    /// The testing gap that it closes, if it is the one that stands for it.
    pub gap: Option<Gap>,
    /// Rows of the feature list that it shows.
    pub features: Vec<String>,
    /// What groups it belongs to.
    pub tags: Vec<String>,
    /// Why it should hold, in one sentence.
    pub hypothesis: String,
    /// What the model does and what is done, in plain words, a sentence each.
    #[serde(default)]
    pub story: Vec<String>,
    /// The settings that the scenario chose for itself, where they differ from the run's.
    pub settings: std::collections::BTreeMap<String, Value>,
    /// The outcome.
    pub verdict: Verdict,
    /// One sentence: why it was skipped, is inconclusive, failed or broke; empty on a pass.
    pub reason: String,
    /// The expectations of the file, then the invariants, in a fixed order.
    pub checks: Vec<Check>,
    /// The faults of its script.
    pub faults: Vec<FaultFired>,
    /// Time on the scenario's clock, in microseconds.
    pub clock_us: u64,
    /// Real time, in microseconds. Never part of a verdict.
    pub real_us: u64,
    /// Everything that happened, ordered by time, actor and sequence; ids and tokens redacted.
    pub transcript: Vec<Line>,
    /// Last lines of the target's log, if it was captured.
    pub log: Vec<String>,
    /// Command that runs just this scenario with this seed.
    pub reproduce: String,
}

impl ScenarioResult {
    /// Returns the checks that did not hold.
    pub fn broken(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.held)
    }

    /// Returns the time on the scenario's clock.
    pub const fn clock(&self) -> Duration {
        Duration::from_micros(self.clock_us)
    }
}

/// Whether a check comes from the file or holds everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSource {
    /// Written in the scenario.
    Expectation,
    /// Checked in every scenario without being named.
    Invariant,
    /// A steady-state probe before or after.
    Steady,
}

/// One thing that was checked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its id, unique in the scenario.
    pub id: String,
    /// Where it comes from.
    pub source: CheckSource,
    /// Whether it held.
    pub held: bool,
    /// What was expected, in words.
    pub expected: String,
    /// What was observed, in words.
    pub observed: String,
    /// The smallest proof of a failure: indices into the transcript.
    pub evidence: Vec<usize>,
}

/// Whether a fault of the script really happened.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FaultFired {
    /// Id in the mock's catalogue.
    pub id: String,
    /// How often it went over the wire.
    pub fired: u64,
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Microseconds since the scenario's start.
    pub at_us: u64,
    /// Who: `ana.phone`, `ana` (REST), `llm` (upstream), `clock`, `harness`, `target` and `network` (what is done to them).
    pub actor: String,
    /// What kind of thing happened.
    pub kind: LineKind,
    /// The thing in one line, for people.
    pub text: String,
    /// The thing in full, where it is data.
    pub data: Option<Value>,
}

/// What kind of thing a transcript line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A socket was opened or closed.
    Socket,
    /// A client sent a frame.
    Sent,
    /// A client received a frame.
    Frame,
    /// A REST call and its answer.
    Http,
    /// The mock got a request.
    Upstream,
    /// An exchange with the mock ended.
    UpstreamEnd,
    /// Time moved.
    Clock,
    /// The harness says something: a mark, a new script.
    Note,
}

/// The kill matrix of `gauntlet prove`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// One row for each scenario and sabotage.
    pub rows: Vec<ProofRow>,
}

impl Proof {
    /// Returns whether every sabotage was caught by the expectation named for it.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.outcome == ProofOutcome::Killed)
    }
}

/// A scenario under one sabotage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProofRow {
    /// The scenario's id.
    pub scenario: String,
    /// The sabotage's name: the protection that was taken away.
    pub sabotage: String,
    /// The check that must break.
    pub caught_by: String,
    /// The checks that did break.
    pub broken: Vec<String>,
    /// What that means.
    pub outcome: ProofOutcome,
    /// One sentence, empty when killed.
    pub reason: String,
}

/// What a sabotage showed about its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofOutcome {
    /// The named check broke.
    Killed,
    /// Nothing broke: the scenario proves nothing.
    Survived,
    /// Something else broke.
    WrongReason,
    /// The sound run did not pass, so nothing is shown.
    NotSound,
    /// The sabotaged run did not come to a verdict, or the weakened server did not work at all.
    Broken,
}

/// What happens while a run goes on, for live output.
#[derive(Clone, Debug)]
pub enum Progress {
    /// A run of so many scenarios (or proof rows) begins.
    Began {
        /// How many.
        total: usize,
    },
    /// A scenario begins; `twin` names the sabotage if it runs weakened.
    Started {
        /// The scenario's id.
        id: String,
        /// The sabotage.
        twin: Option<String>,
    },
    /// A scenario is over.
    Finished {
        /// What it found.
        result: Box<ScenarioResult>,
        /// The proof row, if it ran weakened.
        row: Option<ProofRow>,
    },
}
