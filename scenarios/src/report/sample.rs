//! A hand-made run with every verdict, for the tests of the reports.

use serde_json::json;

use crate::result::{
    Check, CheckSource, FaultFired, Gap, Line, LineKind, Proof, ProofOutcome, ProofRow, Run, SCHEMA_VERSION,
    ScenarioResult, Verdict,
};

/// Returns a run of six scenarios and three sabotages.
pub(crate) fn run() -> Run {
    Run {
        schema_version: SCHEMA_VERSION,
        tool: "gauntlet 0.1.0".to_owned(),
        command: "gauntlet run --seed 7".to_owned(),
        seed: 7,
        target: "builtin".to_owned(),
        settings: [
            ("limits.messages".to_owned(), json!("10 per 1m")),
            ("llm.total".to_owned(), json!("30s")),
        ]
        .into(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        elapsed_ms: 1840,
        planned: 6,
        unjudged: Vec::new(),
        scenarios: vec![
            flood(),
            timeout(),
            scenario("greeting_hides_nothing", "A greeting does not hide an emergency", Verdict::Pass),
            inconclusive(),
            error(),
            skipped(),
        ],
        proof: Some(Proof { rows: rows() }),
    }
}

/// Returns a scenario without checks.
pub(super) fn scenario(id: &str, name: &str, verdict: Verdict) -> ScenarioResult {
    ScenarioResult {
        id: id.to_owned(),
        name: name.to_owned(),
        file: format!("library/{id}.toml"),
        gap: None,
        features: vec!["F11".to_owned()],
        tags: vec!["llm".to_owned()],
        hypothesis: "The server keeps its word.".to_owned(),
        story: vec![
            "Model: Every request is answered soundly.".to_owned(),
            "ana’s phone connects.".to_owned(),
        ],
        verdict,
        reason: String::new(),
        checks: Vec::new(),
        faults: Vec::new(),
        settings: std::collections::BTreeMap::new(),
        clock_us: 1_000_000,
        real_us: 34_000,
        transcript: Vec::new(),
        log: Vec::new(),
        reproduce: format!("gauntlet run {id} --seed 7"),
    }
}

fn flood() -> ScenarioResult {
    ScenarioResult {
        gap: Some(Gap { number: 1, feature: "F127".to_owned() }),
        checks: vec![
            check("ten_handled", "exactly 10 answers", "10 answers"),
            Check { source: CheckSource::Invariant, ..check("one_end", "one end a message", "100 of 100") },
        ],
        transcript: (0..20).map(|n| line(n * 10_000, "ana.phone", LineKind::Sent, "send hello")).collect(),
        ..scenario("flood", "Of 100 messages in one second ten are answered", Verdict::Pass)
    }
}

fn timeout() -> ScenarioResult {
    ScenarioResult {
        gap: Some(Gap { number: 2, feature: "F128".to_owned() }),
        reason: "`falls_back` did not hold".to_owned(),
        checks: vec![
            check("accepted", "the message is accepted", "accepted"),
            Check {
                held: false,
                evidence: vec![1, 3, 4, 5],
                ..check("falls_back", "a fallback within 30s | 1 frame", "none in 30s")
            },
        ],
        faults: vec![FaultFired { id: "stall-mid-reasoning".to_owned(), fired: 1 }],
        settings: std::collections::BTreeMap::new(),
        clock_us: 30_000_000,
        transcript: vec![
            line(0, "ana.phone", LineKind::Socket, "opened"),
            line(1_000, "ana.phone", LineKind::Sent, "send \"is <b>cheese</b> safe?\""),
            line(2_000, "llm", LineKind::Upstream, "POST /chat/completions"),
            line(2_000, "llm", LineKind::UpstreamEnd, "stalls after 2 events"),
            line(30_000_000, "clock", LineKind::Clock, "30s later"),
            line(30_000_000, "ana.phone", LineKind::Frame, "message \"Cheese\u{1}\""),
        ],
        log: vec!["WARN model stalled".to_owned()],
        ..scenario("timeout", "A silent model ends in a fallback", Verdict::Fail)
    }
}

fn inconclusive() -> ScenarioResult {
    let reason = "fault `crlf` never fired".to_owned();
    ScenarioResult { reason, ..scenario("crlf", "Line ends do not matter", Verdict::Inconclusive) }
}

fn error() -> ScenarioResult {
    let reason = "the target closed the connection".to_owned();
    ScenarioResult { reason, ..scenario("restart", "A restart loses nothing", Verdict::Error) }
}

fn skipped() -> ScenarioResult {
    let reason = "needs `kill`, which target `builtin` has not".to_owned();
    ScenarioResult { reason, ..scenario("killed", "A killed server comes back", Verdict::Skipped) }
}

fn check(id: &str, expected: &str, observed: &str) -> Check {
    Check {
        id: id.to_owned(),
        source: CheckSource::Expectation,
        held: true,
        expected: expected.to_owned(),
        observed: observed.to_owned(),
        evidence: Vec::new(),
    }
}

fn line(at_us: u64, actor: &str, kind: LineKind, text: &str) -> Line {
    Line { at_us, actor: actor.to_owned(), kind, text: text.to_owned(), data: None }
}

fn rows() -> Vec<ProofRow> {
    let row = |scenario: &str, sabotage: &str, caught_by: &str| ProofRow {
        scenario: scenario.to_owned(),
        sabotage: sabotage.to_owned(),
        caught_by: caught_by.to_owned(),
        broken: vec![caught_by.to_owned()],
        outcome: ProofOutcome::Killed,
        reason: String::new(),
    };
    vec![
        row("flood", "no-flood-limit", "ten_handled"),
        ProofRow {
            broken: Vec::new(),
            outcome: ProofOutcome::Survived,
            reason: "all checks held without a deadline".to_owned(),
            ..row("timeout", "no-deadline", "falls_back")
        },
        ProofRow {
            broken: vec!["one_end".to_owned()],
            outcome: ProofOutcome::WrongReason,
            reason: "`one_end` broke in place of `falls_back`".to_owned(),
            ..row("timeout", "deadline-on-head", "falls_back")
        },
    ]
}
