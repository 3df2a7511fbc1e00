//! What the page shows of a run as a whole, made ready: the templates only place it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::scenario::{MarkView, ScenarioView};
use crate::{
    report::words,
    result::{ProofOutcome, ProofRow, Run, ScenarioResult, Verdict},
};

/// The verdicts in the order in which a reader asks for them.
const VERDICTS: [Verdict; 5] =
    [Verdict::Pass, Verdict::Fail, Verdict::Error, Verdict::Inconclusive, Verdict::Skipped];

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct PageView<'a> {
    pub(super) style: &'static str,
    pub(super) script: &'static str,
    pub(super) headline: String,
    /// What was planned and not judged.
    pub(super) unjudged: Option<String>,
    pub(super) verdict: &'static str,
    pub(super) run: RunView<'a>,
    pub(super) counts: Vec<CountView>,
    pub(super) gaps: Vec<GapView>,
    pub(super) tags: Vec<TagView<'a>>,
    /// Every kind of mark, to be drawn once and used by all legends.
    pub(super) marks: Vec<MarkView>,
    pub(super) scenarios: Vec<ScenarioView<'a>>,
    pub(super) proof: Option<MatrixView<'a>>,
}

/// What is said about the run as a whole.
#[derive(Debug, Serialize)]
pub(super) struct RunView<'a> {
    schema_version: u32,
    tool: &'a str,
    command: &'a str,
    seed: String,
    target: &'a str,
    started_at: String,
    elapsed: String,
    /// The time that all scenarios took on their clocks.
    clock: String,
    is_virtual: bool,
    checks: String,
    settings: &'a BTreeMap<String, Value>,
}

impl<'a> RunView<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        let clock_us = run.scenarios.iter().map(|scenario| scenario.clock_us).sum();
        let checks: usize = run.scenarios.iter().map(|scenario| scenario.checks.len()).sum();
        Self {
            schema_version: run.schema_version,
            tool: &run.tool,
            command: &run.command,
            seed: run.seed.to_string(),
            target: &run.target,
            started_at: words::to_the_second(&run.started_at),
            elapsed: words::span(run.elapsed_ms.saturating_mul(1000)),
            clock: words::span(clock_us),
            is_virtual: run.target == "builtin",
            checks: words::counted(checks, "check"),
            settings: &run.settings,
        }
    }
}

/// How many scenarios ended so.
#[derive(Debug, Serialize)]
pub(super) struct CountView {
    verdict: &'static str,
    count: usize,
}

/// Returns the verdicts that occur.
pub(super) fn counts(run: &Run) -> Vec<CountView> {
    let counts = VERDICTS.map(|verdict| CountView { verdict: verdict.word(), count: run.count(verdict) });
    counts.into_iter().filter(|count| count.count > 0).collect()
}

/// A testing gap: the worst of those that stand for it.
#[derive(Debug, Serialize)]
pub(super) struct GapView {
    number: u8,
    verdict: &'static str,
    /// The first scenario that has this verdict; none if nobody stood for the gap.
    anchor: Option<String>,
    name: String,
}

/// Returns the testing gaps; none if no scenario stands for any.
pub(super) fn gaps(run: &Run) -> Vec<GapView> {
    let of = |number| {
        let standing = run.scenarios.iter().enumerate().filter(move |(_, scenario)| is_gap(scenario, number));
        standing.rev().max_by_key(|(_, scenario)| scenario.verdict)
    };
    let view = |number| match of(number) {
        Some((index, scenario)) => GapView {
            number,
            verdict: scenario.verdict.word(),
            anchor: Some(super::scenario::anchor(index, scenario)),
            name: scenario.name.clone(),
        },
        None => {
            GapView { number, verdict: "not run", anchor: None, name: "no scenario stood for it".to_owned() }
        }
    };
    let is_asked = run.scenarios.iter().any(|scenario| scenario.gap.is_some());
    if is_asked { (1..=7).map(view).collect() } else { Vec::new() }
}

fn is_gap(scenario: &ScenarioResult, number: u8) -> bool {
    scenario.gap.as_ref().is_some_and(|gap| gap.number == number)
}

/// A tag, and how many scenarios carry it.
#[derive(Debug, Serialize)]
pub(super) struct TagView<'a> {
    name: &'a str,
    count: usize,
}

/// Returns all tags by name.
pub(super) fn tags(run: &Run) -> Vec<TagView<'_>> {
    let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in run.scenarios.iter().flat_map(|scenario| &scenario.tags) {
        *tags.entry(tag).or_default() += 1;
    }
    tags.into_iter().map(|(name, count)| TagView { name, count }).collect()
}

/// The kill matrix.
#[derive(Debug, Serialize)]
pub(super) struct MatrixView<'a> {
    /// What it shows, in words.
    told: String,
    /// Sabotages that were not caught as they should be.
    uncaught: Vec<ProofView<'a>>,
    caught: Vec<ProofView<'a>>,
}

impl<'a> MatrixView<'a> {
    pub(super) fn new(rows: &'a [ProofRow]) -> Self {
        let (caught, uncaught): (Vec<_>, Vec<_>) =
            rows.iter().map(ProofView::new).partition(|row| row.row.outcome == ProofOutcome::Killed);
        let told = format!(
            "{} of {} caught by the check named for it",
            caught.len(),
            words::counted(rows.len(), "sabotage")
        );
        Self { told, uncaught, caught }
    }
}

/// A row of the kill matrix.
#[derive(Debug, Serialize)]
pub(super) struct ProofView<'a> {
    outcome: &'static str,
    word: &'static str,
    broken: String,
    row: &'a ProofRow,
}

impl<'a> ProofView<'a> {
    pub(super) fn new(row: &'a ProofRow) -> Self {
        let outcome = match row.outcome {
            ProofOutcome::Killed => "pass",
            ProofOutcome::Survived | ProofOutcome::WrongReason => "fail",
            ProofOutcome::NotSound | ProofOutcome::Broken => "error",
        };
        Self { outcome, word: words::outcome(row.outcome), broken: row.broken.join(", "), row }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    #[test]
    fn a_gap_shows_the_worst_of_those_that_stand_for_it() {
        let mut run = sample::run();
        run.scenarios[1].gap = run.scenarios[0].gap.clone();

        let gaps = gaps(&run);

        let told: Vec<_> = gaps.iter().map(|gap| (gap.number, gap.verdict)).collect();
        assert_eq!(told[..2], [(1, "fail"), (2, "not run")]);
        assert_eq!(gaps[0].anchor.as_deref(), Some("s-timeout"));
    }

    #[test]
    fn a_run_without_gaps_shows_none() {
        let mut run = sample::run();
        run.scenarios.retain(|scenario| scenario.gap.is_none());

        assert!(gaps(&run).is_empty());
    }

    #[test]
    fn only_what_was_not_caught_stands_apart() {
        let proof = sample::run().proof.unwrap();

        let matrix = MatrixView::new(&proof.rows);

        assert_eq!((matrix.caught.len(), matrix.uncaught.len()), (1, 2));
        assert_eq!(matrix.told, "1 of 3 sabotages caught by the check named for it");
    }
}
