//! Makes the report of what was seen, and holds it against the thresholds.
//!
//! Invariant: what was not measured is inconclusive, never held; and no time is held against a target when the generator
//! had no time to look.

use std::time::Duration;

use super::{
    cast::Part,
    figures::{self, Figures, Kind, whole},
    profile::{Does, Profile},
    promise::Promise,
    recorder::Seen,
    report::{Report, SCHEMA_VERSION, Step},
    run::Options,
    sums::Sums,
    table::shown,
    threshold::Threshold,
};
use crate::{
    machine::Machine,
    result::{Check, Outcome},
};

/// A generator that uses more of a core than this is the bottleneck.
const BUSY_MAX: f64 = 0.9;
/// A generator that is later than this in one of a hundred cases is.
const LAG_P99_MAX: Duration = Duration::from_millis(10);
/// A percentile of fewer turns than this is none: at p99 one of a hundred decides.
const SAMPLES_MIN: u64 = 100;

/// What is asked of every load; told only where it is not so.
pub(super) const DONE: &str = "something is done";

/// What the run was.
pub(crate) struct About<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) options: &'a Options,
    pub(crate) machine: Machine,
    pub(crate) started_at: String,
    pub(crate) cut: Option<Cut>,
}

/// Why a load ended before its time; what was measured until then is judged still.
pub(crate) enum Cut {
    /// The target has ended.
    Target(String),
    /// A further step could not be taken here.
    Generator(String),
}

impl Cut {
    fn check(self) -> Check {
        let (found, outcome) = match self {
            Self::Target(why) => (why, Outcome::Failed),
            Self::Generator(why) => (why, Outcome::Inconclusive),
        };
        Check { text: "the load comes to its end".to_owned(), found, outcome }
    }
}

/// A step that was measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Users that were there.
    pub(crate) users: usize,
    /// Wall time at the beginning of what was measured.
    pub(crate) at: String,
    pub(crate) sums: Sums,
    /// What makes it doubtful beside what its figures tell.
    pub(crate) doubts: Vec<String>,
}

impl Measured {
    /// Says all that makes it doubtful.
    fn all_doubts(&self, figures: &Figures) -> Vec<String> {
        [self.doubts.clone(), doubts(figures)].concat()
    }
}

/// Makes the report of what was seen, step by step.
pub(crate) fn report(about: About<'_>, steps: Vec<Measured>, seen: &Seen) -> Report {
    let About { profile, options, machine, started_at, cut } = about;
    let judged: Vec<_> = steps.iter().map(|step| judged(step, &profile.thresholds)).collect();
    let warnings = steps.iter().zip(&judged).flat_map(|(step, judged)| {
        let of = if profile.steps > 1 { format!("with {} users: ", step.users) } else { String::new() };
        step.all_doubts(&judged.figures).into_iter().map(move |doubt| of.clone() + &doubt)
    });
    let warnings = warnings.collect();
    let mut last = steps.into_iter().next_back().unwrap_or_default();
    let mut checks = vec![kept(seen.promises.values().sum())];
    checks.extend((0..profile.thresholds.len()).filter_map(|n| over_steps(n, &judged)));
    checks.extend(happened(profile, (&last.sums, seen.refused.values().sum())));
    checks.extend(sound(seen.panics));
    checks.extend(cut.map(Cut::check));
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        tool: format!("gauntlet {}", env!("CARGO_PKG_VERSION")),
        command: options.command.clone(),
        started_at,
        machine,
        profile: options.profile.clone(),
        about: profile.about.clone(),
        target: options.target.name.clone(),
        load: profile.load(),
        seed: profile.seed,
        thresholds: profile.thresholds.iter().map(ToString::to_string).collect(),
        part: Some(options.part).filter(|part| *part != Part::WHOLE),
        users: last.users,
        measured_at: std::mem::take(&mut last.at),
        figures: judged.last().map(|step| step.figures.clone()).unwrap_or_default(),
        sums: last.sums,
        steps_planned: profile.steps,
        steps: if profile.steps > 1 { judged } else { Vec::new() },
        panics: seen.panics,
        promises: seen.promises.clone(),
        examples: seen.examples.clone(),
        refused: seen.refused.clone(),
        seconds: seen.seconds.clone(),
        warnings,
        checks,
    };
    report.checks.extend(taken(&report));
    report
}

/// Judges one step. What must hold comes first, in its order; behind it stands what else spoils the step.
pub(crate) fn judged(step: &Measured, thresholds: &[Threshold]) -> Step {
    let figures = step.sums.figures();
    let doubts = step.all_doubts(&figures);
    let mut checks: Vec<_> =
        thresholds.iter().map(|threshold| check(threshold, &figures, !doubts.is_empty())).collect();
    checks.extend(Some(kept(step.sums.broken)).filter(|kept| kept.outcome == Outcome::Failed));
    checks.extend(doubts.into_iter().next().map(|found| Check {
        text: "the generator keeps up".to_owned(),
        found,
        outcome: Outcome::Inconclusive,
    }));
    Step { users: step.users, figures, checks }
}

/// Says whether a load is to go no further: something broke, or the generator sees the target no more as it is.
pub(crate) fn is_the_last(step: &Step) -> bool {
    step.outcome() == Outcome::Failed || !doubts(&step.figures).is_empty()
}

/// Of a load in steps: whether all were taken, and held.
fn taken(report: &Report) -> Option<Check> {
    let worst = report.steps.iter().map(Step::outcome).max()?;
    let outcome =
        if report.steps.len() < report.steps_planned { worst.max(Outcome::Inconclusive) } else { worst };
    Some(Check { text: "every step holds".to_owned(), found: report.limit()?, outcome })
}

/// A generator that broke has judged nothing; told only where that is so.
pub(super) fn sound(panics: u64) -> Option<Check> {
    (panics > 0).then(|| Check {
        text: "the generator is sound".to_owned(),
        found: format!("it panicked {panics} times"),
        outcome: Outcome::Inconclusive,
    })
}

/// Returns what became of the `n`th threshold over all steps: at the first that did not hold, or else at the last.
pub(super) fn over_steps(n: usize, steps: &[Step]) -> Option<Check> {
    let outcome = |step: &&Step| step.checks.get(n).map(|check| check.outcome);
    let worst = steps.iter().filter_map(|step| step.checks.get(n)).map(|check| check.outcome).max()?;
    let step = if worst == Outcome::Held {
        steps.last()?
    } else {
        steps.iter().find(|step| outcome(step) == Some(worst))?
    };
    let mut check = step.checks.get(n)?.clone();
    if steps.len() > 1 {
        check.found = format!("{} with {} users", check.found, step.users);
    }
    Some(check)
}

/// A load in which nothing was done shows nothing; told only where that is so.
fn happened(profile: &Profile, (sums, refused): (&Sums, u64)) -> Option<Check> {
    let is_idle = profile.groups.iter().all(|group| matches!(group.does, Does::Idle(_)));
    let done = if is_idle { sums.sockets } else { sums.worked + sums.facts + refused };
    (done == 0).then(|| Check {
        text: DONE.to_owned(),
        found: "nothing".to_owned(),
        outcome: Outcome::Inconclusive,
    })
}

/// Says what kept the generator from seeing the target as it is.
pub(super) fn doubts(figures: &Figures) -> Vec<String> {
    let above = |name: &str, limit: f64| {
        figures.get(name).copied().filter(|value| *value > limit && too_few(name, figures).is_none())
    };
    let busy = above("cpu(generator)", BUSY_MAX)
        .map(|busy| format!("THE GENERATOR WAS THE BOTTLENECK: it used {:.0} % of a core", busy * 100.0));
    let late = above("p99(generator.lag)", LAG_P99_MAX.as_secs_f64()).map(|lag| {
        format!(
            "THE GENERATOR WAS LATE by {} in one of a hundred cases: times say little about the target",
            shown(Kind::Time, lag)
        )
    });
    [busy, late].into_iter().flatten().collect()
}

/// Promises are part of every verdict, whatever a profile asks for.
pub(super) fn kept(broken: u64) -> Check {
    let outcome = if broken == 0 { Outcome::Held } else { Outcome::Failed };
    Check { text: "every promise is kept".to_owned(), found: format!("{broken} broken"), outcome }
}

/// Holds a figure against its threshold.
fn check(threshold: &Threshold, figures: &Figures, doubtful: bool) -> Check {
    let name = threshold.figure();
    let kind = figures::kind(name).unwrap_or(Kind::Count);
    let text = threshold.to_string();
    let Some(value) = figures.get(name).copied() else {
        return Check { text, found: "not measured".to_owned(), outcome: Outcome::Inconclusive };
    };
    let found = match too_few(name, figures) {
        Some(count) => format!("{}, of {count} only; {SAMPLES_MIN} are needed", shown(kind, value)),
        None => shown(kind, value),
    };
    Check { text, found, outcome: outcome(name, figures, (threshold.holds(value), doubtful)) }
}

/// Judges a figure. Of too few cases nothing is concluded, nor from what a late generator has measured itself.
pub(super) fn outcome(name: &str, figures: &Figures, (holds, doubtful): (bool, bool)) -> Outcome {
    let is_time = figures::kind(name) == Some(Kind::Time) && name.contains('(');
    let is_measured_here = is_time || name.ends_with("_per_second");
    match holds {
        _ if too_few(name, figures).is_some() || doubtful && is_measured_here => Outcome::Inconclusive,
        true => Outcome::Held,
        false => Outcome::Failed,
    }
}

/// Returns of how few a percentile at the far end was taken, if it was too few.
fn too_few(name: &str, figures: &Figures) -> Option<f64> {
    let time = name.strip_prefix("p99(").or_else(|| name.strip_prefix("p99.9("))?;
    figures.get(&format!("count({time}")).copied().filter(|count| *count < whole(SAMPLES_MIN))
}

impl Report {
    /// Returns how often promises were broken.
    pub fn broken(&self) -> u64 {
        self.promises.values().sum()
    }

    /// Returns each promise that was broken: how often, and what was seen the first time.
    pub fn accusations(&self) -> impl Iterator<Item = (Promise, u64, &str)> {
        self.promises
            .iter()
            .map(|(promise, count)| (*promise, *count, self.examples.get(promise).map_or("", String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_told_where_it_broke_first_or_else_at_the_end_l5() {
        let step = |users, turns| Measured {
            users,
            sums: Sums { measured_s: 1.0, turns, ..Sums::default() },
            ..Measured::default()
        };
        let threshold = ["turns < 30".parse().unwrap()];
        let over = |turns: &[u64]| {
            let steps = turns.iter().zip(1..).map(|(turns, n)| judged(&step(100 * n, *turns), &threshold));
            over_steps(0, &steps.collect::<Vec<_>>()).unwrap()
        };

        assert_eq!(over(&[10, 20]).found, "20 with 200 users");
        let broken = over(&[10, 30, 40]);
        assert_eq!((broken.outcome, broken.found.as_str()), (Outcome::Failed, "30 with 200 users"));
        assert_eq!(over(&[10]).found, "10");
    }

    #[test]
    fn a_broken_promise_fails_whatever_a_profile_asks_for_l3() {
        assert_eq!(kept(0).outcome, Outcome::Held);
        assert_eq!(kept(1).outcome, Outcome::Failed);
        let sums = Sums { measured_s: 1.0, broken: 1, ..Sums::default() };
        assert!(is_the_last(&judged(&Measured { users: 3, sums, ..Measured::default() }, &[])));
    }

    #[test]
    fn of_few_cases_or_by_a_late_generator_nothing_is_concluded_l4() {
        let name = "p99(turn.whole)";
        let of = |count| Figures::from([(name.to_owned(), 1.0), ("count(turn.whole)".to_owned(), count)]);

        assert_eq!(outcome(name, &of(1000.0), (true, false)), Outcome::Held);
        assert_eq!(outcome(name, &of(3.0), (false, false)), Outcome::Inconclusive);
        assert_eq!(outcome(name, &of(1000.0), (true, true)), Outcome::Inconclusive);
        assert_eq!(outcome("facts_per_second", &of(1.0), (false, true)), Outcome::Inconclusive);
        assert_eq!(outcome("cpu_per_1000_turns", &of(1.0), (false, true)), Outcome::Failed);
    }

    #[test]
    fn a_generator_that_was_busy_or_late_says_so_l9() {
        let told = |name: &str, value: f64, count: f64| {
            let count = ("count(generator.lag)".to_owned(), count);
            doubts(&Figures::from([(name.to_owned(), value), count])).concat()
        };

        assert_eq!(told("cpu(generator)", BUSY_MAX, 100.0), "");
        assert!(told("cpu(generator)", BUSY_MAX + 0.05, 100.0).contains("THE GENERATOR WAS THE BOTTLENECK"));
        assert_eq!(told("p99(generator.lag)", 0.02, 99.0), "", "one of 99 is no hundredth");
        assert!(told("p99(generator.lag)", 0.02, 100.0).contains("THE GENERATOR WAS LATE by 20"));
    }
}
