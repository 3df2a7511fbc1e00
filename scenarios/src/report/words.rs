//! How results are put into words, the same in every report.
//!
//! Invariant: pure functions of the result; no escaping and no colour, which belong to each format.

use crate::result::{Check, Line, Proof, ProofOutcome, Run, ScenarioResult, Verdict};

/// Testing gaps of the requirements.
const GAPS: usize = 7;

/// So many scenarios that were not judged are named.
const UNJUDGED_SHOWN: usize = 10;

/// Returns what the run found, in one sentence without a full stop.
pub fn headline(run: &Run) -> String {
    findings(run).join("; ")
}

/// Returns what the run found: of its scenarios, of the testing gaps, of the sabotages.
pub(super) fn findings(run: &Run) -> Vec<String> {
    [Some(tally(run)), gaps(run), run.proof.as_ref().map(proof)].into_iter().flatten().collect()
}

fn tally(run: &Run) -> String {
    let total = run.scenarios.len();
    let held = run.count(Verdict::Pass);
    if total == 0 && !run.was_cut_short() {
        return "no scenario ran".to_owned();
    }
    let mut parts = vec![match (held == total, total) {
        _ if run.was_cut_short() => {
            format!("stopped early: {} ran, {held} of them held", progress(run))
        }
        (true, 1) => "the scenario held".to_owned(),
        (true, _) => format!("all {total} scenarios held"),
        (false, _) => format!("{held} of {} held", counted(total, "scenario")),
    }];
    for (verdict, one, many) in [
        (Verdict::Fail, "failed", "failed"),
        (Verdict::Error, "ended in an error", "ended in an error"),
        (Verdict::Inconclusive, "was inconclusive", "were inconclusive"),
        (Verdict::Skipped, "was skipped", "were skipped"),
    ] {
        match run.count(verdict) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            count => parts.push(format!("{count} {many}")),
        }
    }
    parts.join(", ")
}

/// Returns how many scenarios ran: `38 scenarios`, or `19 of 38 scenarios` if it was to be more.
pub(super) fn progress(run: &Run) -> String {
    let ran = run.scenarios.len();
    if run.was_cut_short() {
        format!("{ran} of {}", counted(run.planned, "scenario"))
    } else {
        counted(ran, "scenario")
    }
}

/// Makes a sentence of words: with a capital and a full stop.
pub(super) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

/// Names what was planned and not judged, the first of many.
pub(super) fn unjudged(run: &Run) -> Option<String> {
    let shown = run.unjudged.iter().take(UNJUDGED_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = match run.unjudged.len().saturating_sub(UNJUDGED_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more, see `run.json`"),
    };
    (!run.unjudged.is_empty()).then(|| format!("not judged: {shown}{more}"))
}

/// Says how many gaps are closed; a gap is when all that stand for it passed.
fn gaps(run: &Run) -> Option<String> {
    let closed = |number| {
        let mut standing =
            run.scenarios.iter().filter(|s| s.gap.as_ref().is_some_and(|g| g.number == number));
        standing.clone().next().is_some() && standing.all(|scenario| scenario.verdict == Verdict::Pass)
    };
    run.scenarios.iter().any(|scenario| scenario.gap.is_some()).then(|| {
        let count = (1..=7).filter(|number| closed(*number)).count();
        if count == GAPS {
            "all 7 testing gaps closed".to_owned()
        } else {
            format!("{count} of 7 testing gaps closed")
        }
    })
}

fn proof(proof: &Proof) -> String {
    let total = counted(proof.rows.len(), "sabotage");
    let killed = proof.rows.iter().filter(|row| row.outcome == ProofOutcome::Killed).count();
    if proof.rows.is_empty() {
        "no sabotage was tried".to_owned()
    } else if killed == proof.rows.len() {
        format!("{total} tried, each caught by the check named for it")
    } else {
        format!("{killed} of {total} caught by the check named for it")
    }
}

/// Returns a number with its noun, in the plural if need be.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Returns how many checks held, as `11/12`; a dash if none was made.
pub(super) fn held(scenario: &ScenarioResult) -> String {
    match scenario.checks.len() {
        0 => "–".to_owned(),
        total => format!("{}/{total}", total - scenario.broken().count()),
    }
}

/// Returns a span for people: `340ms`, `12.5s`, `5m 01s`, `1h 00m 01s`.
pub(super) fn span(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    match microseconds {
        0..1_000_000 => format!("{}ms", microseconds / 1000),
        1_000_000..60_000_000 => format!("{seconds}.{}s", microseconds / 100_000 % 10),
        60_000_000..3_600_000_000 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m {:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// Returns a moment of a transcript: `301.250s`.
pub(super) fn moment(microseconds: u64) -> String {
    format!("{}.{:03}s", microseconds / 1_000_000, microseconds / 1000 % 1000)
}

/// Returns an RFC 3339 time without its fraction of a second.
pub(super) fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => time.to_owned(),
    }
}

/// Returns the word for what a sabotage showed.
pub(super) const fn outcome(outcome: ProofOutcome) -> &'static str {
    match outcome {
        ProofOutcome::Killed => "killed",
        ProofOutcome::Survived => "survived",
        ProofOutcome::WrongReason => "wrong reason",
        ProofOutcome::NotSound => "not sound",
        ProofOutcome::Broken => "broken",
    }
}

/// Returns the verdict on a run as a whole: a sabotage that was not caught fails it, and one that was
/// stopped early shows nothing.
pub(super) fn verdict(run: &Run) -> Verdict {
    let uncaught = run.proof.as_ref().is_some_and(|proof| !proof.holds());
    let least = match (uncaught, run.was_cut_short()) {
        (true, _) => Verdict::Fail,
        (false, true) => Verdict::Inconclusive,
        (false, false) => Verdict::Pass,
    };
    run.verdict().max(least)
}

/// Returns the lines that prove a failure, in the order that the check names them.
pub(super) fn evidence<'a>(scenario: &'a ScenarioResult, check: &'a Check) -> impl Iterator<Item = &'a Line> {
    check.evidence.iter().filter_map(|index| scenario.transcript.get(*index))
}

/// Returns the user whom a device belongs to: `ana` of `ana.phone`.
pub(super) fn user(actor: &str) -> &str {
    actor.split_once('.').map_or(actor, |(user, _)| user)
}

/// Returns the first line of `text`, cut to `width` characters with an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    let whole = line.chars().count() <= width && text.lines().nth(1).is_none();
    if whole { line.to_owned() } else { line.chars().take(width.saturating_sub(1)).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn a_span_is_told_in_the_unit_that_fits() {
        let spans = [0, 340_000, 12_540_000, 301_000_000, 3_601_000_000].map(span);

        assert_eq!(spans, ["0ms", "340ms", "12.5s", "5m 01s", "1h 00m 01s"]);
    }

    #[test]
    fn a_text_is_cut_at_characters_not_bytes() {
        assert_eq!(cut("niño feliz", 5), "niño…");
        assert_eq!(cut("niño", 4), "niño");
        assert_eq!(cut("one\ntwo", 9), "one…");
    }

    #[test]
    fn the_headline_counts_what_did_not_hold() {
        insta::assert_snapshot!(headline(&sample::run()), @"2 of 6 scenarios held, 1 failed, 1 ended in an error, 1 was inconclusive, 1 was skipped; 1 of 7 testing gaps closed; 1 of 3 sabotages caught by the check named for it");
    }

    #[test]
    fn a_gap_with_one_red_scenario_is_open() {
        let mut run = sample::run();
        run.scenarios[1].gap = run.scenarios[0].gap.clone();

        assert!(headline(&run).contains("0 of 7 testing gaps closed"));
    }

    #[test]
    fn a_run_that_was_stopped_early_never_says_that_all_held() {
        let mut run = Run { planned: 38, proof: None, ..sample::run() };
        run.scenarios.retain(|scenario| scenario.verdict == Verdict::Pass);

        let headline = headline(&run);

        assert!(headline.starts_with("stopped early: 2 of 38 scenarios ran, 2 of them held"), "{headline}");
        assert!(!headline.contains("all"), "{headline}");
    }

    #[test]
    fn a_run_that_was_stopped_before_its_first_scenario_says_so() {
        let run = Run { planned: 38, scenarios: Vec::new(), proof: None, ..sample::run() };

        assert_eq!(headline(&run), "stopped early: 0 of 38 scenarios ran, 0 of them held");
    }

    #[test]
    fn what_was_not_judged_is_named_and_the_rest_is_counted() {
        let left = |count| Run { unjudged: (1..=count).map(|n| format!("s{n}")).collect(), ..sample::run() };

        assert_eq!(unjudged(&left(0)), None);
        assert_eq!(unjudged(&left(2)).unwrap(), "not judged: s1, s2");
        insta::assert_snapshot!(unjudged(&left(12)).unwrap(), @"not judged: s1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and 2 more, see `run.json`");
    }

    #[test]
    fn gaps_are_all_closed_only_if_all_seven_ran() {
        let mut run = sample::run();
        (run.planned, run.proof) = (38, None);
        run.scenarios = (1..=7)
            .map(|number| ScenarioResult {
                gap: Some(crate::result::Gap { number, feature: String::new() }),
                ..run.scenarios[0].clone()
            })
            .collect();
        let seven = headline(&run);
        run.scenarios.pop();

        assert!(seven.contains("all 7 testing gaps closed"), "{seven}");
        assert!(headline(&run).contains("6 of 7 testing gaps closed"), "{}", headline(&run));
        assert_eq!(verdict(&run), Verdict::Inconclusive);
    }

    #[test]
    fn a_time_loses_its_fraction_and_keeps_its_zone() {
        let times = ["2026-11-22T22:46:47.520892567Z", "2026-11-22T22:46:47.5+02:00", "2026-11-22T22:46:47Z"];

        assert_eq!(
            times.map(to_the_second),
            ["2026-11-22T22:46:47Z", "2026-11-22T22:46:47+02:00", "2026-11-22T22:46:47Z"]
        );
    }

    #[test]
    fn a_run_of_nothing_says_so() {
        let run = Run { planned: 0, scenarios: Vec::new(), proof: None, ..sample::run() };

        assert_eq!(headline(&run), "no scenario ran");
    }
}
