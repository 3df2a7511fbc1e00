//! Holds figures against the limits of a case.
//!
//! Invariant: what was not measured is inconclusive, never held; and no latency and no rate is held against a
//! target when the client had no time to look, or when others took the cores.

use crate::{
    profile::{Case, Limits},
    result::{Check, Metric, Outcome, Subject, SubjectResult},
};

/// A client that uses more of its core than this is the bottleneck.
const CLIENT_BUSY_MAX: f64 = 0.9;
/// Others that take more than this of a core disturb.
const TAKEN_MAX: f64 = 0.2;
/// Windows in which the target used less processor time than this are coarse: the system counts in 10 ms.
const CPU_SECONDS_MIN: f64 = 0.2;

/// Checks a case.
pub(crate) fn checks(case: &Case, subjects: &[SubjectResult]) -> Vec<Check> {
    let mut checks: Vec<_> = subjects.iter().flat_map(whole).collect();
    if let Some(target) = subjects.iter().find(|result| result.subject == Subject::Target) {
        checks.extend(limits(&case.limits, case.unit(), target));
        let with_rules = subjects.iter().find(|result| result.subject == Subject::WithRules);
        checks.extend(with_rules.and_then(|with_rules| rules(&case.limits, target, with_rules)));
    }
    checks
}

/// Every answer is whole, and there are some.
fn whole(result: &SubjectResult) -> Vec<Check> {
    let name = &result.name;
    let kinds: Vec<_> = result.broken.iter().map(|(broken, count)| format!("{count} x {broken}")).collect();
    let found = match result.broken_total() {
        0 => format!("{} whole, broken: 0", result.whole),
        broken => format!("{} whole, broken: {broken} ({})", result.whole, kinds.join("; ")),
    };
    let silent = result.windows.iter().filter(|window| window.units == 0).count();
    vec![
        check(format!("{name}: every answer is whole"), found, result.broken_total() == 0),
        check(
            format!("{name}: something comes in every window"),
            format!("{silent} of {} windows were silent", result.windows.len()),
            silent == 0,
        ),
    ]
}

fn limits(limits: &Limits, unit: &str, target: &SubjectResult) -> Vec<Check> {
    let undisturbed = disturbances(target).is_empty();
    let ratio = target.to_floor.get(&Metric::CpuUsPerUnit).map(|figure| figure.median);
    let most = |text: &str, limit: Option<f64>, found: Option<f64>| {
        Some(bound(text, limit?, found, |found, limit| found <= limit))
    };
    let doubtful = |check: Check| {
        let outcome = if undisturbed { check.outcome } else { Outcome::Inconclusive };
        Check { outcome, ..check }
    };
    let latency = |text: &str, limit, found| most(text, limit, found).map(doubtful);
    let median = |metric| target.median(metric);
    let rate = limits.rate_min.map(|limit| {
        let text = format!("{unit}s per second, at least");
        doubtful(bound(&text, limit, median(Metric::UnitsPerSecond), |found, limit| found >= limit))
    });
    let cpu = format!("processor time per {unit} in us, at most");
    let over = format!("processor time per {unit} as a multiple of the floor's, at most");
    let memory = median(Metric::RssKibPerConnection);
    [
        most(&over, limits.cpu_ratio_max, ratio),
        most(&cpu, limits.cpu_us_max, median(Metric::CpuUsPerUnit)),
        rate,
        latency(
            "p99 of a whole answer in ms, at most",
            limits.answer_p99_ms_max,
            median(Metric::AnswerP99Ms),
        ),
        latency("p99 between two chunks in ms, at most", limits.gap_p99_ms_max, median(Metric::GapP99Ms)),
        most("memory per connection in KiB, at most", limits.rss_kib_per_connection_max, memory),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Rules that do not match cost next to nothing.
fn rules(limits: &Limits, target: &SubjectResult, with_rules: &SubjectResult) -> Option<Check> {
    let limit = limits.rules_loss_max?;
    let ratios = crate::result::ratios(&with_rules.windows, &target.windows);
    let loss = ratios.get(&Metric::CpuUsPerUnit).map(|figure| figure.median - 1.0);
    let text = format!("more processor time with {}, as a share, at most", with_rules.name);
    Some(bound(&text, limit, loss, |found, limit| found <= limit))
}

fn bound(text: &str, limit: f64, found: Option<f64>, holds: fn(f64, f64) -> bool) -> Check {
    let text = format!("{text} {limit}");
    match found {
        Some(found) => check(text, format!("{found:.3}"), holds(found, limit)),
        None => Check { text, found: "not measured".to_owned(), outcome: Outcome::Inconclusive },
    }
}

fn check(text: String, found: String, holds: bool) -> Check {
    Check { text, found, outcome: if holds { Outcome::Held } else { Outcome::Failed } }
}

/// Says what kept the client from seeing the target as it is.
fn disturbances(result: &SubjectResult) -> Vec<String> {
    let above =
        |metric, limit| result.median(metric).filter(|value| *value > limit).map(|value| value * 100.0);
    let client = above(Metric::ClientBusy, CLIENT_BUSY_MAX)
        .map(|busy| format!("THE CLIENT WAS THE BOTTLENECK, busy {busy:.0} % of its core"));
    let taken = |metric, whose| {
        above(metric, TAKEN_MAX).map(|taken| format!("others took {taken:.0} % of {whose} core"))
    };
    let target = taken(Metric::TargetCoreTaken, "its");
    [client, target, taken(Metric::ClientCoreTaken, "the client's")].into_iter().flatten().collect()
}

/// Says what makes the figures doubtful.
pub(crate) fn warnings(case: &Case, subjects: &[SubjectResult]) -> Vec<String> {
    let mut warnings = Vec::new();
    for result in subjects {
        let name = &result.name;
        let judged = if case.limits.judge_time() { "; latencies and rates are NOT judged" } else { "" };
        warnings.extend(disturbances(result).into_iter().map(|what| format!("{name}: {what}{judged}")));
        let coarse = |window: &&crate::result::Window| {
            let busy = window.metrics.get(&Metric::TargetBusy).copied().unwrap_or(1.0);
            busy * window.seconds < CPU_SECONDS_MIN
        };
        let coarse = result.windows.iter().filter(coarse).count();
        if coarse > 0 {
            warnings.push(format!(
                "{name}: processor time is coarse (10 ms) in {coarse} windows; make them longer"
            ));
        }
    }
    if case.rounds * case.windows < 5 {
        warnings.push("fewer than five windows: the spread says little".to_owned());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        broken::Broken,
        result::{Figure, Window},
    };

    fn result(figures: &[(Metric, f64)]) -> SubjectResult {
        let figure =
            |(metric, value): &(Metric, f64)| (*metric, Figure { median: *value, min: *value, max: *value });
        let metrics: BTreeMap<_, _> = figures.iter().copied().collect();
        SubjectResult {
            subject: Subject::Target,
            name: "mock".to_owned(),
            figures: figures.iter().map(figure).collect(),
            to_floor: BTreeMap::new(),
            windows: vec![Window { seconds: 1.0, units: 1, metrics }],
            whole: 1,
            broken: BTreeMap::new(),
            unjudged: 0,
            reopened: 0,
        }
    }

    fn outcomes(limits_of: Limits, figures: &[(Metric, f64)]) -> Vec<Outcome> {
        limits(&limits_of, "chunk", &result(figures)).iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn a_limit_holds_up_to_its_value_and_not_beyond() {
        let limits = Limits { cpu_us_max: Some(5.0), rate_min: Some(100.0), ..Limits::default() };

        let held = outcomes(limits, &[(Metric::CpuUsPerUnit, 5.0), (Metric::UnitsPerSecond, 100.0)]);
        let broken = outcomes(limits, &[(Metric::CpuUsPerUnit, 5.1), (Metric::UnitsPerSecond, 99.0)]);

        assert_eq!((held, broken), (vec![Outcome::Held; 2], vec![Outcome::Failed; 2]));
    }

    #[test]
    fn what_was_not_measured_is_inconclusive() {
        let limits = Limits { cpu_us_max: Some(5.0), cpu_ratio_max: Some(2.0), ..Limits::default() };

        assert_eq!(outcomes(limits, &[]), [Outcome::Inconclusive; 2]);
    }

    #[test]
    fn a_client_that_had_no_time_to_look_judges_no_latency_m18() {
        let limits = Limits { gap_p99_ms_max: Some(60.0), ..Limits::default() };

        let slow = [(Metric::GapP99Ms, 100.0), (Metric::ClientBusy, 0.5)];
        let busy = [(Metric::GapP99Ms, 30.0), (Metric::ClientBusy, 0.95)];
        let disturbed = [(Metric::GapP99Ms, 100.0), (Metric::TargetCoreTaken, 0.5)];

        assert_eq!(outcomes(limits, &slow), [Outcome::Failed]);
        assert_eq!(outcomes(limits, &busy), [Outcome::Inconclusive]);
        assert_eq!(outcomes(limits, &disturbed), [Outcome::Inconclusive]);
    }

    #[test]
    fn one_broken_answer_fails_the_case_and_is_named_m18() {
        let mut result = result(&[]);
        result.broken.insert(Broken::TooFew, 1);

        let checks = whole(&result);

        assert_eq!(checks[0].outcome, Outcome::Failed);
        assert!(checks[0].found.contains("broken: 1 (1 x chunks were missing)"), "{}", checks[0].found);
    }

    #[test]
    fn rules_that_cost_too_much_fail_m18() {
        let limits = Limits { rules_loss_max: Some(0.1), ..Limits::default() };
        let cost = |us| result(&[(Metric::CpuUsPerUnit, us)]);

        let dear = rules(&limits, &cost(10.0), &cost(11.5)).unwrap();
        let cheap = rules(&limits, &cost(10.0), &cost(10.5)).unwrap();

        assert_eq!((dear.outcome, cheap.outcome), (Outcome::Failed, Outcome::Held));
    }
}
