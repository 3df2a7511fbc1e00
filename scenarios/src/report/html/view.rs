//! What the page shows, made ready: the template only places it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{
    lines::{self, LineView, TEXT, TEXT_PASSED},
    timeline,
};
use crate::{
    report::words,
    result::{Check, CheckSource, ProofOutcome, ProofRow, Run, ScenarioResult, Verdict},
};

/// Last lines shown of a target's log, if its scenario did not pass.
const LOG: usize = 60;

/// The whole page.
#[derive(Debug, Serialize)]
pub(super) struct PageView<'a> {
    pub(super) style: &'static str,
    pub(super) headline: String,
    pub(super) verdict: &'static str,
    pub(super) run: RunView<'a>,
    pub(super) gaps: Vec<ScenarioView<'a>>,
    pub(super) rest: Vec<ScenarioView<'a>>,
    pub(super) proof: Option<Vec<ProofView<'a>>>,
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
    settings: &'a BTreeMap<String, Value>,
}

impl<'a> RunView<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        Self {
            schema_version: run.schema_version,
            tool: &run.tool,
            command: &run.command,
            seed: run.seed.to_string(),
            target: &run.target,
            started_at: words::to_the_second(&run.started_at),
            elapsed: words::span(run.elapsed_ms.saturating_mul(1000)),
            settings: &run.settings,
        }
    }
}

/// A scenario on the page.
#[derive(Debug, Serialize)]
pub(super) struct ScenarioView<'a> {
    anchor: String,
    pub(super) gap: Option<u8>,
    verdict: &'static str,
    open: bool,
    held: String,
    clock: String,
    real: String,
    checks: Vec<CheckView<'a>>,
    /// How many invariants held, in words; empty for none.
    sound: String,
    invariants: Vec<CheckView<'a>>,
    timeline: Option<String>,
    lines: Vec<LineView<'a>>,
    line_count: String,
    left_out: usize,
    result: Brief<'a>,
}

/// The fields of a result that are shown as they are.
#[derive(Debug, Serialize)]
struct Brief<'a> {
    id: &'a str,
    name: &'a str,
    file: &'a str,
    features: String,
    tags: String,
    hypothesis: &'a str,
    reason: &'a str,
    faults: String,
    settings: String,
    log: &'a [String],
    log_count: String,
    reproduce: &'a str,
}

#[derive(Debug, Serialize)]
struct CheckView<'a> {
    id: &'a str,
    source: &'static str,
    word: &'static str,
    expected: &'a str,
    observed: &'a str,
    evidence: Vec<LineView<'a>>,
    /// Lines of evidence that are not shown, in words; empty for none.
    evidence_left_out: String,
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

impl<'a> ScenarioView<'a> {
    /// Makes a scenario ready, with at most `broken` transcript lines, or `passed` if it passed.
    pub(super) fn new(index: usize, scenario: &'a ScenarioResult, broken: usize, passed: usize) -> Self {
        let good = matches!(scenario.verdict, Verdict::Pass | Verdict::Skipped);
        let (lines, left_out) = lines::transcript(
            scenario,
            if good { passed } else { broken },
            if good { TEXT_PASSED } else { TEXT },
        );
        Self {
            anchor: format!("s{index}"),
            gap: scenario.gap.as_ref().map(|gap| gap.number),
            verdict: scenario.verdict.word(),
            open: !good,
            held: words::held(scenario),
            clock: words::span(scenario.clock_us),
            real: words::span(scenario.real_us),
            checks: checks(scenario, |check| !is_quiet(check)),
            sound: sound(scenario),
            invariants: checks(scenario, is_quiet),
            timeline: timeline::draw(scenario),
            line_count: words::counted(scenario.transcript.len(), "line"),
            left_out,
            lines,
            result: Brief::new(scenario),
        }
    }
}

impl<'a> Brief<'a> {
    fn new(scenario: &'a ScenarioResult) -> Self {
        let faults: Vec<_> =
            scenario.faults.iter().map(|fault| format!("{} ×{}", fault.id, fault.fired)).collect();
        Self {
            id: &scenario.id,
            name: &scenario.name,
            file: &scenario.file,
            features: scenario.features.join(", "),
            tags: scenario.tags.join(", "),
            hypothesis: &scenario.hypothesis,
            reason: &scenario.reason,
            faults: faults.join(", "),
            settings: settings(scenario),
            log: log(scenario),
            log_count: words::counted(log(scenario).len(), "line"),
            reproduce: &scenario.reproduce,
        }
    }
}

impl<'a> CheckView<'a> {
    fn new(scenario: &'a ScenarioResult, check: &'a Check) -> Self {
        // The proof of a check that held would only be noise.
        let (evidence, evidence_left_out) =
            if check.held { (Vec::new(), String::new()) } else { lines::evidence(scenario, check) };
        Self {
            id: &check.id,
            source: match check.source {
                CheckSource::Expectation => "expectation",
                CheckSource::Invariant => "invariant",
                CheckSource::Steady => "steady state",
            },
            word: if check.held { "held" } else { "broken" },
            expected: &check.expected,
            observed: &check.observed,
            evidence,
            evidence_left_out,
        }
    }
}

/// Returns the chosen checks: what the scenario expects, then what holds everywhere.
fn checks(scenario: &ScenarioResult, chosen: impl Fn(&Check) -> bool) -> Vec<CheckView<'_>> {
    let mut checks: Vec<_> = scenario.checks.iter().filter(|check| chosen(check)).collect();
    checks.sort_by_key(|check| match check.source {
        CheckSource::Expectation => 0,
        CheckSource::Steady => 1,
        CheckSource::Invariant => 2,
    });
    checks.into_iter().map(|check| CheckView::new(scenario, check)).collect()
}

/// Tells whether a check is an invariant that held, which is worth no more than a count.
fn is_quiet(check: &Check) -> bool {
    check.held && check.source == CheckSource::Invariant
}

fn sound(scenario: &ScenarioResult) -> String {
    match scenario.checks.iter().filter(|check| is_quiet(check)).count() {
        0 => String::new(),
        count => format!("{} held", words::counted(count, "invariant")),
    }
}

/// Returns what the scenario chose for itself: `limits.messages.burst = 20, …`.
fn settings(scenario: &ScenarioResult) -> String {
    let told = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name} = {text}"),
        value => format!("{name} = {value}"),
    };
    scenario.settings.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// Returns the end of the log; what a sound target says is of no interest.
fn log(scenario: &ScenarioResult) -> &[String] {
    match scenario.verdict {
        Verdict::Pass | Verdict::Skipped => &[],
        _ => &scenario.log[scenario.log.len().saturating_sub(LOG)..],
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    #[test]
    fn a_short_transcript_is_whole() {
        let scenario = sample::run().scenarios.remove(1);

        let view = ScenarioView::new(0, &scenario, 400, 40);

        assert_eq!((view.lines.len(), view.left_out), (6, 0));
    }

    #[test]
    fn invariants_that_held_are_only_counted_and_broken_ones_stand_last() {
        let mut scenario = sample::run().scenarios.remove(0);
        let held = scenario.checks[1].clone();
        let broken = Check { id: "broken".to_owned(), held: false, ..held.clone() };
        scenario.checks = vec![broken, held, scenario.checks.remove(0)];

        let view = ScenarioView::new(0, &scenario, 400, 40);

        assert_eq!(view.checks.iter().map(|check| check.id).collect::<Vec<_>>(), ["ten_handled", "broken"]);
        assert_eq!(view.sound, "1 invariant held");
        assert_eq!(view.invariants.iter().map(|check| check.id).collect::<Vec<_>>(), ["one_end"]);
    }

    #[test]
    fn what_a_scenario_chose_for_itself_is_told() {
        let mut scenario = sample::run().scenarios.remove(0);
        scenario.settings =
            [("limits.user.rate".to_owned(), 9.into()), ("llm.gap".to_owned(), "2s".into())].into();

        assert_eq!(settings(&scenario), "limits.user.rate = 9, llm.gap = 2s");
    }
}
