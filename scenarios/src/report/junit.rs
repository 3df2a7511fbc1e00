//! JUnit XML in the dialect of Jenkins: a suite is a scenario, a case is a check.
//!
//! Invariant: nothing that did not hold is a success or a quiet skip: a broken expectation is a
//! `failure`, a scenario without a verdict an `error`. Some readers ignore the message attribute, so
//! the text stands in the body too. Characters that XML forbids are dropped by the writer.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{RenderError, words};
use crate::result::{Check, Proof, ProofOutcome, ProofRow, Run, ScenarioResult, Verdict};

/// Name of the case that stands for a scenario as a whole.
const WHOLE: &str = "verdict";

pub(super) fn render(run: &Run) -> Result<String, RenderError> {
    let mut report = Report::new("gauntlet");
    report.set_time(Duration::from_millis(run.elapsed_ms));
    report.add_test_suites(run.scenarios.iter().map(|scenario| suite(run, scenario)));
    report.add_test_suites(run.proof.as_ref().map(matrix));
    report.add_test_suites(run.was_cut_short().then(|| left_out(run)));
    // The writer drops control characters, but not the two non-characters that XML forbids as well.
    let xml = report.to_string()?.replace(['\u{fffe}', '\u{ffff}'], "");
    Ok(within_the_schema(&xml))
}

/// Takes away the sum of what was skipped from the root: the schema of Jenkins knows it of suites only.
fn within_the_schema(xml: &str) -> String {
    let Some((head, body)) = xml.split_once("<testsuites ") else { return xml.to_owned() };
    let Some((root, suites)) = body.split_once('>') else { return xml.to_owned() };
    let is_known = |word: &&str| !word.starts_with("skipped=");
    let root: Vec<_> = root.split(' ').filter(is_known).collect();
    format!("{head}<testsuites {}>{suites}", root.join(" "))
}

/// Returns the suite that keeps a run which was stopped early from looking whole.
fn left_out(run: &Run) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(words::headline(run));
    status.set_description(words::unjudged(run).unwrap_or_else(|| words::headline(run)));
    let mut suite = TestSuite::new("run");
    suite.add_test_case(named("all planned scenarios ran", "gauntlet.run", status));
    suite
}

fn suite(run: &Run, scenario: &ScenarioResult) -> TestSuite {
    let mut suite = TestSuite::new(&*scenario.id);
    suite.set_time(Duration::from_micros(scenario.real_us));
    suite.add_properties([
        Property::new("name", &*scenario.name),
        Property::new("file", &*scenario.file),
        Property::new("verdict", scenario.verdict.word()),
        Property::new("features", scenario.features.join(" ")),
        Property::new("target", &*run.target),
        Property::new("seed", run.seed.to_string()),
        Property::new("clock", words::span(scenario.clock_us)),
        Property::new("reproduce", &*scenario.reproduce),
    ]);
    suite.add_test_cases(scenario.checks.iter().map(|check| case(scenario, check)));
    suite.add_test_cases(whole(scenario));
    suite
}

fn case(scenario: &ScenarioResult, check: &Check) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !check.held {
        status = TestCaseStatus::non_success(kind(scenario.verdict));
        status.set_message(format!("expected {}, observed {}", check.expected, check.observed));
        status.set_type(scenario.verdict.word());
        status.set_description(body(scenario, check));
    }
    named(&check.id, &format!("gauntlet.{}", scenario.id), status)
}

/// Returns the case that tells the verdict, unless the checks tell it already.
fn whole(scenario: &ScenarioResult) -> Option<TestCase> {
    let mut status = match scenario.verdict {
        Verdict::Pass if scenario.checks.is_empty() => TestCaseStatus::success(),
        Verdict::Pass => return None,
        Verdict::Fail if scenario.broken().next().is_some() => return None,
        Verdict::Skipped => TestCaseStatus::skipped(),
        verdict => TestCaseStatus::non_success(kind(verdict)),
    };
    if scenario.verdict != Verdict::Pass {
        status.set_message(&*scenario.reason);
        status.set_type(scenario.verdict.word());
        status.set_description(format!("{}\nreproduce: {}", scenario.reason, scenario.reproduce));
    }
    Some(named(WHOLE, &format!("gauntlet.{}", scenario.id), status))
}

const fn kind(verdict: Verdict) -> NonSuccessKind {
    match verdict {
        Verdict::Pass | Verdict::Fail => NonSuccessKind::Failure,
        Verdict::Skipped | Verdict::Inconclusive | Verdict::Error => NonSuccessKind::Error,
    }
}

fn named(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class);
    case
}

fn body(scenario: &ScenarioResult, check: &Check) -> String {
    let mut lines = vec![format!("expected: {}", check.expected), format!("observed: {}", check.observed)];
    lines.extend(
        words::evidence(scenario, check)
            .map(|line| format!("evidence: {} {} {}", words::moment(line.at_us), line.actor, line.text)),
    );
    lines.push(format!("reproduce: {}", scenario.reproduce));
    lines.join("\n")
}

fn matrix(proof: &Proof) -> TestSuite {
    let mut suite = TestSuite::new("prove");
    suite.add_test_cases(proof.rows.iter().map(proof_case));
    suite
}

fn proof_case(row: &ProofRow) -> TestCase {
    let mut status = match row.outcome {
        ProofOutcome::Killed => TestCaseStatus::success(),
        ProofOutcome::Survived | ProofOutcome::WrongReason => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        ProofOutcome::NotSound | ProofOutcome::Broken => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if row.outcome != ProofOutcome::Killed {
        status.set_message(&*row.reason);
        status.set_type(words::outcome(row.outcome));
        status.set_description(format!("{}\nto be caught by: {}", row.reason, row.caught_by));
    }
    named(&row.sabotage, &format!("gauntlet.prove.{}", row.scenario), status)
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    fn only(scenario: ScenarioResult) -> String {
        render(&Run { planned: 1, scenarios: vec![scenario], proof: None, ..sample::run() }).unwrap()
    }

    #[test]
    fn a_run_that_was_stopped_early_is_an_error() {
        let run = Run { planned: 38, proof: None, ..sample::run() };

        assert!(render(&run).unwrap().contains("all planned scenarios ran"));
    }

    #[test]
    fn a_broken_check_is_a_failure_with_its_evidence() {
        let xml = only(sample::run().scenarios.remove(1));

        insta::assert_snapshot!(xml, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="gauntlet" tests="2" failures="1" errors="0" time="1.840">
            <testsuite name="timeout" tests="2" skipped="0" errors="0" failures="1" time="0.034">
                <properties>
                    <property name="name" value="A silent model ends in a fallback"/>
                    <property name="file" value="library/timeout.toml"/>
                    <property name="verdict" value="fail"/>
                    <property name="features" value="F11"/>
                    <property name="target" value="builtin"/>
                    <property name="seed" value="7"/>
                    <property name="clock" value="30.0s"/>
                    <property name="reproduce" value="gauntlet run timeout --seed 7"/>
                </properties>
                <testcase name="accepted" classname="gauntlet.timeout"/>
                <testcase name="falls_back" classname="gauntlet.timeout">
                    <failure message="expected a fallback within 30s | 1 frame, observed none in 30s" type="fail">expected: a fallback within 30s | 1 frame
        observed: none in 30s
        evidence: 0.001s ana.phone send &quot;is &lt;b&gt;cheese&lt;/b&gt; safe?&quot;
        evidence: 0.002s llm stalls after 2 events
        evidence: 30.000s clock 30s later
        evidence: 30.000s ana.phone message &quot;Cheese&quot;
        reproduce: gauntlet run timeout --seed 7</failure>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn a_scenario_without_a_verdict_is_an_error_and_a_skipped_one_keeps_its_reason() {
        let xml = render(&sample::run()).unwrap();

        let lines: Vec<_> = xml.lines().filter(|line| line.contains("message=")).map(str::trim).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        <failure message="expected a fallback within 30s | 1 frame, observed none in 30s" type="fail">expected: a fallback within 30s | 1 frame
        <error message="fault `crlf` never fired" type="inconclusive">fault `crlf` never fired
        <error message="the target closed the connection" type="error">the target closed the connection
        <skipped message="needs `kill`, which target `builtin` has not" type="skipped">needs `kill`, which target `builtin` has not
        <failure message="all checks held without a deadline" type="survived">all checks held without a deadline
        <failure message="`one_end` broke in place of `falls_back`" type="wrong reason">`one_end` broke in place of `falls_back`
        "#);
    }

    #[test]
    fn the_totals_count_every_verdict() {
        let xml = render(&sample::run()).unwrap();

        let head = xml.lines().find(|line| line.starts_with("<testsuites")).unwrap();
        insta::assert_snapshot!(head, @r#"
        <testsuites name="gauntlet" tests="11" failures="3" errors="2" time="1.840">
        "#);
    }
}
