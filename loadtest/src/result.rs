//! What a run found, as plain values; reports are made from it.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    broken::Broken,
    machine::{Cores, Machine},
    profile::{Case, Request},
};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name and version of the program.
    pub tool: String,
    /// The command line.
    pub command: String,
    /// When it began.
    pub started_at: String,
    /// The machine.
    pub machine: Machine,
    /// Who ran where; `None` when all shared what there was.
    pub cores: Option<Cores>,
    /// Name or file of the profile.
    pub profile: String,
    /// What the profile shows.
    pub about: String,
    /// What was asked.
    pub request: Request,
    /// The cases in their order.
    pub cases: Vec<CaseResult>,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseResult {
    /// What was to be measured, and how.
    pub case: Case,
    /// Floor, target, and perhaps the target with rules.
    pub subjects: Vec<SubjectResult>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// What makes the figures doubtful.
    pub warnings: Vec<String>,
}

/// Whom the figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The bare responder.
    Floor,
    /// What is measured.
    Target,
    /// The same with rules that do not match.
    WithRules,
}

/// The figures of one subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubjectResult {
    /// Who.
    pub subject: Subject,
    /// What it is called.
    pub name: String,
    /// Medians and spread over the windows.
    pub figures: BTreeMap<Metric, Figure>,
    /// Medians and spread of the ratio to the floor, window by window.
    pub to_floor: BTreeMap<Metric, Figure>,
    /// Each window.
    pub windows: Vec<Window>,
    /// Whole answers, in windows or not.
    pub whole: u64,
    /// Broken answers by kind.
    pub broken: BTreeMap<Broken, u64>,
    /// Answers that were cut at the end by plan, and so not judged.
    pub unjudged: u64,
    /// Connections that the target closed between two answers and that were opened again.
    pub reopened: u64,
}

/// One measured window.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Window {
    /// Its real length.
    pub seconds: f64,
    /// Chunks or answers that came in it.
    pub units: u64,
    /// What it shows.
    pub metrics: BTreeMap<Metric, f64>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Processor time of the subject per unit, in microseconds.
    CpuUsPerUnit,
    /// Units per second.
    UnitsPerSecond,
    /// From the request to the end of the answer.
    AnswerP50Ms,
    /// As before.
    AnswerP99Ms,
    /// As before.
    AnswerP999Ms,
    /// From the request to the first event.
    FirstP50Ms,
    /// As before.
    FirstP99Ms,
    /// From one chunk to the next.
    GapP50Ms,
    /// As before.
    GapP99Ms,
    /// Memory of the subject at the end of the window.
    RssMib,
    /// Memory over that of the idle subject, per connection; first round of paced streams only.
    RssKibPerConnection,
    /// Processor time of the subject per second.
    TargetBusy,
    /// Processor time of the client per second.
    ClientBusy,
    /// Processor time of the client per unit, in microseconds.
    ClientUsPerUnit,
    /// How much of the subject's core went to others.
    TargetCoreTaken,
    /// How much of the client's core went to others.
    ClientCoreTaken,
}

/// A median with its spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Figure {
    /// Summarises values; `None` for none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, min, max })
    }
}

/// Something that was to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What, in words.
    pub text: String,
    /// What was found.
    pub found: String,
    /// Whether it held.
    pub outcome: Outcome,
}

/// How a check ended; the worst one is the run's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It held.
    Held,
    /// The client was the bottleneck, others disturbed, or the system did not tell.
    Inconclusive,
    /// It broke.
    Failed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Inconclusive => "inconclusive",
            Self::Failed => "FAILED",
        })
    }
}

impl Report {
    /// Returns the worst outcome of all checks.
    pub fn outcome(&self) -> Outcome {
        self.checks().map(|check| check.outcome).max().unwrap_or(Outcome::Inconclusive)
    }

    /// Returns all checks.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.cases.iter().flat_map(|case| &case.checks)
    }

    /// Returns the report as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl SubjectResult {
    /// Returns how many answers were broken.
    pub fn broken_total(&self) -> u64 {
        self.broken.values().sum()
    }

    /// Returns a median, if there is one.
    pub fn median(&self, metric: Metric) -> Option<f64> {
        self.figures.get(&metric).map(|figure| figure.median)
    }
}

/// Summarises windows.
pub(crate) fn figures(windows: &[Window]) -> BTreeMap<Metric, Figure> {
    collect(windows.iter().map(|window| window.metrics.clone()))
}

/// Summarises the ratios of windows that were measured in turns; those that one of both lacks are left out.
pub(crate) fn ratios(windows: &[Window], base: &[Window]) -> BTreeMap<Metric, Figure> {
    collect(windows.iter().zip(base).map(|(one, other)| {
        let ratio = |(metric, value): (&Metric, &f64)| {
            let base = other.metrics.get(metric).filter(|base| **base > 0.0)?;
            Some((*metric, value / base))
        };
        one.metrics.iter().filter_map(ratio).collect()
    }))
}

fn collect(windows: impl Iterator<Item = BTreeMap<Metric, f64>>) -> BTreeMap<Metric, Figure> {
    let mut values: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
    for (metric, value) in windows.flatten() {
        values.entry(metric).or_default().push(value);
    }
    values.into_iter().filter_map(|(metric, values)| Some((metric, Figure::of(values)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(values: &[f64]) -> Vec<Window> {
        let window = |value: &f64| Window {
            metrics: BTreeMap::from([(Metric::CpuUsPerUnit, *value)]),
            ..Window::default()
        };
        values.iter().map(window).collect()
    }

    #[test]
    fn a_median_stands_in_the_middle() {
        assert_eq!(Figure::of(vec![3.0, 1.0, 2.0]), Some(Figure { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Figure::of(vec![4.0, 1.0]), Some(Figure { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Figure::of(Vec::new()), None);
    }

    #[test]
    fn a_ratio_is_taken_window_by_window_m18() {
        // A machine that becomes twice as slow in the middle changes no ratio.
        let found = ratios(&windows(&[30.0, 60.0, 60.0]), &windows(&[10.0, 20.0, 20.0]));

        assert_eq!(found[&Metric::CpuUsPerUnit], Figure { median: 3.0, min: 3.0, max: 3.0 });
    }

    #[test]
    fn a_floor_of_nothing_gives_no_ratio() {
        assert!(ratios(&windows(&[30.0]), &windows(&[0.0])).is_empty());
    }
}
