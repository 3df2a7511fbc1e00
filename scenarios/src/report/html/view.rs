//! What the page shows, made ready: the template only places it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::timeline;
use crate::{
    report::words,
    result::{Check, CheckSource, LineKind, ProofOutcome, ProofRow, Run, ScenarioResult, Verdict},
};

/// Evidence lines shown for one check.
const EVIDENCE: usize = 12;

/// Last lines shown of a target's log, if its scenario did not pass.
const LOG: usize = 60;

/// Longest text of one transcript line, in characters.
const TEXT: usize = 240;

/// Longest text of one transcript line of a scenario that passed, in characters.
const TEXT_PASSED: usize = 110;

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
    started_at: &'a str,
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
            started_at: &run.started_at,
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
    timeline: Option<String>,
    lines: Vec<LineView<'a>>,
    line_count: usize,
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
    log: &'a [String],
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
    evidence_left_out: usize,
}

#[derive(Debug, Serialize)]
struct LineView<'a> {
    at: String,
    actor: &'a str,
    kind: &'static str,
    text: String,
    /// Lines that were left out before this one.
    gap: usize,
    proof: bool,
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
        let lines =
            transcript(scenario, if good { passed } else { broken }, if good { TEXT_PASSED } else { TEXT });
        Self {
            anchor: format!("s{index}"),
            gap: scenario.gap.as_ref().map(|gap| gap.number),
            verdict: scenario.verdict.word(),
            open: !good,
            held: words::held(scenario),
            clock: words::span(scenario.clock_us),
            real: words::span(scenario.real_us),
            checks: scenario.checks.iter().map(|check| CheckView::new(scenario, check)).collect(),
            timeline: timeline::draw(scenario),
            line_count: scenario.transcript.len(),
            left_out: scenario.transcript.len() - lines.len(),
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
            log: log(scenario),
            reproduce: &scenario.reproduce,
        }
    }
}

impl<'a> CheckView<'a> {
    fn new(scenario: &'a ScenarioResult, check: &'a Check) -> Self {
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
            // The proof of a check that held would only be noise.
            evidence: if check.held { Vec::new() } else { evidence(scenario, check) },
            evidence_left_out: if check.held { 0 } else { check.evidence.len().saturating_sub(EVIDENCE) },
        }
    }
}

/// Returns the end of the log; what a sound target says is of no interest.
fn log(scenario: &ScenarioResult) -> &[String] {
    match scenario.verdict {
        Verdict::Pass | Verdict::Skipped => &[],
        _ => &scenario.log[scenario.log.len().saturating_sub(LOG)..],
    }
}

fn evidence<'a>(scenario: &'a ScenarioResult, check: &'a Check) -> Vec<LineView<'a>> {
    check.evidence.iter().take(EVIDENCE).filter_map(|index| line(scenario, *index, TEXT)).collect()
}

/// Returns the first and the last lines and all evidence, at most `limit` beside the evidence.
fn transcript(scenario: &ScenarioResult, limit: usize, width: usize) -> Vec<LineView<'_>> {
    let total = scenario.transcript.len();
    let proofs: Vec<usize> =
        scenario.broken().flat_map(|check| check.evidence.iter().copied().take(EVIDENCE)).collect();
    let head = limit.div_ceil(2);
    let tail = total.saturating_sub(limit - head);
    let mut next = 0;
    let mut lines = Vec::new();
    for index in 0..total {
        let proof = proofs.contains(&index);
        if !(proof || index < head || index >= tail) {
            continue;
        }
        let shown = line(scenario, index, width).map(|line| LineView { gap: index - next, proof, ..line });
        lines.extend(shown);
        next = index + 1;
    }
    lines
}

fn line(scenario: &ScenarioResult, index: usize, width: usize) -> Option<LineView<'_>> {
    scenario.transcript.get(index).map(|line| LineView {
        at: words::moment(line.at_us),
        actor: &line.actor,
        kind: kind(line.kind),
        text: words::cut(&line.text, width),
        gap: 0,
        proof: false,
    })
}

const fn kind(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Socket => "socket",
        LineKind::Sent => "sent",
        LineKind::Frame => "received",
        LineKind::Http => "http",
        LineKind::Upstream => "request",
        LineKind::UpstreamEnd => "ended",
        LineKind::Clock => "clock",
        LineKind::Note => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    #[test]
    fn a_cut_transcript_keeps_both_ends_and_the_evidence() {
        let mut scenario = sample::run().scenarios.remove(0);
        scenario.checks[0].held = false;
        scenario.checks[0].evidence = vec![10];

        let lines = transcript(&scenario, 4, 80);

        let shown: Vec<_> = lines.iter().map(|line| (line.at.as_str(), line.gap, line.proof)).collect();
        assert_eq!(
            shown,
            [
                ("0.000s", 0, false),
                ("0.010s", 0, false),
                ("0.100s", 8, true),
                ("0.180s", 7, false),
                ("0.190s", 0, false)
            ]
        );
    }

    #[test]
    fn a_short_transcript_is_whole() {
        let scenario = sample::run().scenarios.remove(1);

        let view = ScenarioView::new(0, &scenario, 400, 40);

        assert_eq!((view.lines.len(), view.left_out), (6, 0));
    }
}
