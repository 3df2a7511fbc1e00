//! Makes the report of what was seen, and holds it against the thresholds.
//!
//! Invariant: what was not measured is inconclusive, never held; and no time is held against a target when the generator
//! had no time to look.

use std::time::Duration;

use super::{
    figures::{self, Figures, Kind, Time, whole},
    profile::{Does, Profile},
    promise::Promise,
    recorder::Seen,
    report::{Report, SCHEMA_VERSION},
    run::Options,
    table::shown,
    threshold::Threshold,
    watch::Usage,
};
use crate::{
    machine::Machine,
    result::{Check, Outcome},
    tally::Times,
};

/// A generator that uses more of a core than this is the bottleneck.
const BUSY_MAX: f64 = 0.9;
/// A generator that is later than this in one of a hundred cases is.
const LAG_P99_MAX: Duration = Duration::from_millis(10);
/// A percentile of fewer turns than this is none: at p99 one of a hundred decides.
const SAMPLES_MIN: u64 = 100;

/// What the run was.
pub(crate) struct About<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) options: &'a Options,
    pub(crate) machine: Machine,
    pub(crate) started_at: String,
}

/// What was seen and used.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) seen: Seen,
    /// Before the first user came.
    pub(crate) empty: Usage,
    /// At the first measured moment.
    pub(crate) begin: Usage,
    /// At the last one.
    pub(crate) end: Usage,
}

/// Makes the report.
pub(crate) fn report(about: About<'_>, measured: &Measured) -> Report {
    let About { profile, options, machine, started_at } = about;
    let seen = &measured.seen;
    let figures = figures_of(measured);
    let doubts = doubts(&figures);
    let mut checks = vec![kept(seen)];
    checks.extend(profile.thresholds.iter().map(|threshold| check(threshold, &figures, !doubts.is_empty())));
    checks.extend(happened(profile, seen));
    if seen.panics > 0 {
        checks.push(Check {
            text: "the generator is sound".to_owned(),
            found: format!("it panicked {} times", seen.panics),
            outcome: Outcome::Inconclusive,
        });
    }
    Report {
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
        users: profile.users(),
        measured_s: span(seen).as_secs_f64(),
        promises: seen.promises.clone(),
        examples: seen.examples.clone(),
        refused: seen.refused.clone(),
        seconds: seen.seconds.clone(),
        figures,
        checks,
        warnings: doubts,
    }
}

/// A load in which nothing was done shows nothing; told only where that is so.
fn happened(profile: &Profile, seen: &Seen) -> Option<Check> {
    let refused: u64 = seen.refused.values().sum();
    let is_idle = profile.groups.iter().all(|group| matches!(group.does, Does::Idle(_)));
    let done = if is_idle { seen.sockets_measured as u64 } else { seen.worked + seen.facts + refused };
    (done == 0).then(|| Check {
        text: "something is done".to_owned(),
        found: "nothing".to_owned(),
        outcome: Outcome::Inconclusive,
    })
}

fn span(seen: &Seen) -> Duration {
    match (seen.from, seen.until) {
        (Some(from), Some(until)) => until.since(from),
        _ => Duration::ZERO,
    }
}

fn figures_of(measured: &Measured) -> Figures {
    let Measured { seen, empty, begin, end } = measured;
    let mut figures = Figures::new();
    for (time, times) in &seen.times {
        figures::summarise(&mut figures, *time, times);
    }
    if let Some(added) = added(seen) {
        figures::summarise(&mut figures, Time::Added, &added);
    }
    let seconds = span(seen).as_secs_f64();
    let mut put = |name: &str, value: Option<f64>| {
        debug_assert!(figures::kind(name).is_some(), "{name}");
        figures.extend(value.filter(|value| value.is_finite()).map(|value| (name.to_owned(), value)));
    };
    put("broken", Some(whole(seen.broken())));
    put("turns", Some(whole(seen.turns)));
    put("turns_per_second", Some(whole(seen.worked) / seconds));
    put("refused", Some(whole(seen.refused.values().sum())));
    put("fallbacks", Some(whole(seen.fallbacks)));
    put("unasked", Some(whole(seen.unasked)));
    put("reconnects", Some(whole(seen.reconnects)));
    put("facts", Some(whole(seen.facts)).filter(|facts| *facts > 0.0));
    put("facts_per_second", Some(whole(seen.facts) / seconds).filter(|facts| *facts > 0.0));
    put("sockets", Some(whole(seen.sockets_measured as u64)));
    let used = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?).as_secs_f64());
    let target = used(begin.target_cpu, end.target_cpu);
    put(
        "cpu_per_1000_turns",
        target.filter(|_| seen.worked > 0).map(|cpu| cpu * 1000.0 / whole(seen.worked)),
    );
    put("cpu(target)", target.map(|cpu| cpu / seconds));
    put("cpu(generator)", used(begin.generator_cpu, end.generator_cpu).map(|cpu| cpu / seconds));
    put("rss(target)", end.target_rss.map(whole));
    put("rss(generator)", end.generator_rss.map(whole));
    let grown = |usage: &Usage| Some(whole(usage.target_rss?.saturating_sub(empty.target_rss?)));
    put("rss_per_socket", grown(end).map(|bytes| bytes / whole(seen.sockets_measured as u64)));
    figures
}

/// Returns what the target added to the first token: the time from the question less the median of the floor.
fn added(seen: &Seen) -> Option<Times> {
    let floor = seen.times.get(&Time::Floor).filter(|floor| floor.count() > 0)?;
    Some(seen.times.get(&Time::FirstTokenSent)?.less(floor.quantile_ms(0.5)))
}

/// Says what kept the generator from seeing the target as it is.
fn doubts(figures: &Figures) -> Vec<String> {
    let above = |name: &str, limit: f64| figures.get(name).copied().filter(|value| *value > limit);
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
fn kept(seen: &Seen) -> Check {
    let broken = seen.broken();
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
    fn a_broken_promise_fails_whatever_a_profile_asks_for_l3() {
        let mut seen = Seen::default();
        assert_eq!(kept(&seen).outcome, Outcome::Held);

        seen.promises.insert(Promise::KeepsFacts, 1);

        assert_eq!(kept(&seen).outcome, Outcome::Failed);
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
}
