//! What the page shows of one scenario, made ready: the templates only place it.

use serde::Serialize;
use serde_json::Value;

use super::{
    lines::{self, LineView, TEXT, TEXT_PASSED},
    timeline::{self, Mark},
    view::ProofView,
};
use crate::{
    report::words,
    result::{Check, CheckSource, ProofRow, Run, ScenarioResult, Verdict},
};

/// Last lines shown of a target's log, if its scenario did not pass.
const LOG: usize = 60;

/// A scenario on the page.
#[derive(Debug, Serialize)]
pub(super) struct ScenarioView<'a> {
    /// Its fragment: `s-` and its id, so that a link survives the next run.
    anchor: String,
    /// The fragments of its neighbours.
    before: Option<String>,
    after: Option<String>,
    gap: Option<u8>,
    verdict: &'static str,
    is_good: bool,
    held: String,
    clock: String,
    real: String,
    /// What the filter looks through, beside the name.
    found_by: String,
    checks: Vec<CheckView<'a>>,
    /// How many invariants held, in words; empty for none.
    sound: String,
    invariants: Vec<CheckView<'a>>,
    timeline: Option<String>,
    /// Says why there is no drawing; empty if there is one, or nothing to draw.
    not_drawn: String,
    marks: Vec<MarkView>,
    lines: Vec<LineView<'a>>,
    line_count: String,
    left_out: usize,
    proof: Vec<ProofView<'a>>,
    result: Brief<'a>,
}

/// The fields of a result that are shown as they are.
#[derive(Debug, Serialize)]
struct Brief<'a> {
    id: &'a str,
    name: &'a str,
    file: &'a str,
    features: String,
    tags: &'a [String],
    hypothesis: &'a str,
    story: &'a [String],
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
    /// `line` or `lines`.
    evidence_word: &'static str,
    /// Lines of evidence that are not shown, in words; empty for none.
    evidence_left_out: String,
}

/// A kind of mark, for the legend.
#[derive(Debug, Serialize)]
pub(super) struct MarkView {
    class: &'static str,
    shape: &'static str,
    meaning: &'static str,
}

impl From<Mark> for MarkView {
    fn from(mark: Mark) -> Self {
        Self { class: mark.class(), shape: mark.shape(), meaning: mark.meaning() }
    }
}

/// Returns all kinds of marks.
pub(super) fn marks() -> Vec<MarkView> {
    Mark::ALL.into_iter().map(MarkView::from).collect()
}

/// Most lines of transcripts that a page shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of a scenario that did not pass.
    pub(super) broken: usize,
    /// Of one that did.
    pub(super) passed: usize,
}

/// Returns the fragment that opens a scenario.
pub(super) fn anchor(index: usize, scenario: &ScenarioResult) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !scenario.id.is_empty() && scenario.id.chars().all(is_plain) {
        format!("s-{}", scenario.id)
    } else {
        format!("s{index}")
    }
}

/// Makes the scenarios of a run ready.
pub(super) fn all<'a>(run: &'a Run, limits: Limits) -> Vec<ScenarioView<'a>> {
    let anchors: Vec<_> = run.scenarios.iter().enumerate().map(|(n, it)| anchor(n, it)).collect();
    let rows = run.proof.as_ref().map_or(&[][..], |proof| &proof.rows);
    let view = |(n, scenario): (usize, &'a ScenarioResult)| ScenarioView {
        anchor: anchors[n].clone(),
        before: n.checked_sub(1).map(|before| anchors[before].clone()),
        after: anchors.get(n + 1).cloned(),
        ..ScenarioView::new(scenario, rows, limits)
    };
    run.scenarios.iter().enumerate().map(view).collect()
}

impl<'a> ScenarioView<'a> {
    fn new(scenario: &'a ScenarioResult, rows: &'a [ProofRow], limits: Limits) -> Self {
        let is_good = matches!(scenario.verdict, Verdict::Pass | Verdict::Skipped);
        let (limit, width) = if is_good { (limits.passed, TEXT_PASSED) } else { (limits.broken, TEXT) };
        let (lines, left_out) = lines::transcript(scenario, limit, width);
        Self {
            anchor: String::new(),
            before: None,
            after: None,
            gap: scenario.gap.as_ref().map(|gap| gap.number),
            verdict: scenario.verdict.word(),
            is_good,
            held: words::held(scenario),
            clock: words::span(scenario.clock_us),
            real: words::span(scenario.real_us),
            found_by: found_by(scenario),
            checks: checks(scenario, |check| !is_quiet(check)),
            sound: sound(scenario),
            invariants: checks(scenario, is_quiet),
            timeline: timeline::draw(scenario),
            not_drawn: not_drawn(scenario),
            marks: timeline::marks(scenario).into_iter().map(MarkView::from).collect(),
            line_count: words::counted(scenario.transcript.len(), "line"),
            left_out,
            lines,
            proof: rows.iter().filter(|row| row.scenario == scenario.id).map(ProofView::new).collect(),
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
            tags: &scenario.tags,
            hypothesis: &scenario.hypothesis,
            story: &scenario.story,
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
        let (evidence, evidence_left_out) = lines::evidence(scenario, check);
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
            evidence_word: if check.evidence.len() == 1 { "line" } else { "lines" },
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

fn not_drawn(scenario: &ScenarioResult) -> String {
    let events = scenario.transcript.len();
    if events > timeline::EVENTS_MAX {
        format!("{events} events are too many for a drawing")
    } else {
        String::new()
    }
}

/// Returns the words that a reader may look for: id, rows of the feature list, faults.
fn found_by(scenario: &ScenarioResult) -> String {
    let faults = scenario.faults.iter().map(|fault| fault.id.as_str());
    let words = [scenario.id.as_str(), scenario.hypothesis.as_str()].into_iter();
    let words = words.chain(scenario.features.iter().map(String::as_str)).chain(faults);
    words.collect::<Vec<_>>().join(" ").to_lowercase()
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

    const LIMITS: Limits = Limits { broken: 400, passed: 40 };

    #[test]
    fn a_short_transcript_is_whole() {
        let scenario = sample::run().scenarios.remove(1);

        let view = ScenarioView::new(&scenario, &[], LIMITS);

        assert_eq!((view.lines.len(), view.left_out), (6, 0));
    }

    #[test]
    fn invariants_that_held_are_only_counted_and_broken_ones_stand_last() {
        let mut scenario = sample::run().scenarios.remove(0);
        let held = scenario.checks[1].clone();
        let broken = Check { id: "broken".to_owned(), held: false, ..held.clone() };
        scenario.checks = vec![broken, held, scenario.checks.remove(0)];

        let view = ScenarioView::new(&scenario, &[], LIMITS);

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

    #[test]
    fn each_scenario_has_its_own_rows_of_the_proof_and_its_neighbours() {
        let run = sample::run();

        let views = all(&run, LIMITS);

        assert_eq!(views.iter().map(|view| view.proof.len()).collect::<Vec<_>>(), [1, 2, 0, 0, 0, 0]);
        assert_eq!((views[0].before.as_deref(), views[0].after.as_deref()), (None, Some("s-timeout")));
        assert_eq!(views[5].after, None);
    }

    #[test]
    fn an_id_that_cannot_stand_in_a_link_is_counted() {
        let scenario = sample::scenario("my file", "it holds", Verdict::Pass);

        assert_eq!(anchor(4, &scenario), "s4");
    }
}
