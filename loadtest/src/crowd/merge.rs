//! The reports of several generators made into one: the whole of what they saw.
//!
//! Counts and histograms are added, so that percentiles are those of all turns and no mean of percentiles. Invariant: what
//! is judged of the whole is judged from the whole; a part that is missing, or of another load, is refused.

use std::collections::BTreeSet;

use super::{
    cast::Part,
    judge::{self, Measured},
    promise::Promise,
    report::{Report, Second},
    sums::most,
    threshold::Threshold,
};
use crate::result::{Check, Outcome};

/// Parts that began to measure further apart than this share of the measured time did not load the target together.
const APART_MAX: f64 = 0.1;

/// Reports that make no whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("there is no report to merge")]
    None,
    /// One has all users already.
    #[error("`{0}` is of all users\n  hint: `gauntlet load PROFILE --part 0/2` makes one of a part")]
    NoPart(String),
    /// Two of them are not of one load.
    #[error("`{0}` and `{1}` are of different loads or targets")]
    Different(String, String),
    /// One has a threshold that this program does not know.
    #[error(
        "`{0}` has the threshold `{1}`, which this program cannot judge\n  hint: merge with the program that loaded"
    )]
    Unreadable(String, String),
    /// They are shares of different splits.
    #[error("`{0}` is one of {1} parts, and another is one of {2}")]
    Split(String, usize, usize),
    /// Not every part is there, once.
    #[error("the parts are {0}; each of 0 to {1} is needed once")]
    Incomplete(String, usize),
}

/// Makes one report of those of all parts. Each comes with a name for errors.
pub fn merge(parts: &[(String, Report)]) -> Result<Report, MergeError> {
    let (first, rest) = parts.split_first().ok_or(MergeError::None)?;
    complete(parts)?;
    let mut whole = first.1.clone();
    for (name, part) in rest {
        if (&part.load, &part.target, &part.thresholds) != (&whole.load, &whole.target, &whole.thresholds) {
            return Err(MergeError::Different(first.0.clone(), name.clone()));
        }
        whole.take(part);
    }
    whole.part = None;
    whole.command = format!("{} parts, such as: {}", parts.len(), whole.command);
    whole.judge_again(&first.0, parts)?;
    Ok(whole)
}

/// Says what is missing or too much.
fn complete(parts: &[(String, Report)]) -> Result<(), MergeError> {
    let mut numbers = Vec::new();
    let mut count = 0;
    for (name, report) in parts {
        let Part { number, of } = report.part.ok_or_else(|| MergeError::NoPart(name.clone()))?;
        if count > 0 && of != count {
            return Err(MergeError::Split(name.clone(), of, count));
        }
        numbers.push(number);
        count = of;
    }
    numbers.sort_unstable();
    if numbers.iter().copied().eq(0..count) {
        return Ok(());
    }
    let told: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    Err(MergeError::Incomplete(told.join(", "), count.saturating_sub(1)))
}

/// Says whether parts did not measure at the same time.
fn apart(parts: &[(String, Report)]) -> Option<String> {
    let begun = parts.iter().filter_map(|(_, part)| part.measured_at.parse::<clock::Timestamp>().ok());
    let (earliest, latest) = (begun.clone().min()?, begun.max()?);
    let apart = latest.duration_since(earliest).as_secs_f64();
    let limit = parts.iter().map(|(_, part)| part.sums.measured_s).fold(f64::MAX, f64::min) * APART_MAX;
    (apart > limit).then(|| {
        format!(
            "THE PARTS MEASURED AT DIFFERENT TIMES, {apart:.1} s apart: they did not load the target together\n  hint: \
             give all of them one time by `--begin`"
        )
    })
}

impl Report {
    /// Adds a part.
    fn take(&mut self, part: &Self) {
        self.users += part.users;
        self.sums.add(&part.sums);
        for (promise, count) in &part.promises {
            *self.promises.entry(*promise).or_default() += count;
        }
        let examples = part.examples.iter().map(|(promise, example)| (*promise, example.clone()));
        let known: BTreeSet<Promise> = self.examples.keys().copied().collect();
        self.examples.extend(examples.filter(|(promise, _)| !known.contains(promise)));
        for (code, count) in &part.refused {
            *self.refused.entry(code.clone()).or_default() += count;
        }
        self.panics += part.panics;
        for (second, other) in self.seconds.iter_mut().zip(&part.seconds) {
            second.take(other);
        }
    }

    /// Judges what has been added up. What made a part doubtful makes the whole doubtful.
    fn judge_again(&mut self, name: &str, parts: &[(String, Self)]) -> Result<(), MergeError> {
        let read = |text: &String| {
            text.parse::<Threshold>().map_err(|_| MergeError::Unreadable(name.to_owned(), text.clone()))
        };
        let thresholds: Vec<_> = self.thresholds.iter().map(read).collect::<Result<_, _>>()?;
        let mut doubts: Vec<_> = parts
            .iter()
            .flat_map(|(name, part)| part.warnings.iter().map(move |warning| format!("{name}: {warning}")))
            .collect();
        let apart = apart(parts);
        doubts.extend(apart.clone());
        let (users, at, sums) = (self.users, self.measured_at.clone(), self.sums.clone());
        let step = judge::judged(&Measured { users, at, sums, doubts: doubts.clone() }, &thresholds);
        let mut checks = vec![judge::kept(self.broken())];
        checks
            .extend((0..thresholds.len()).filter_map(|n| judge::over_steps(n, std::slice::from_ref(&step))));
        // The whole has done nothing if none of its parts has done anything.
        let idle =
            |(_, part): &(String, Self)| part.checks.iter().find(|check| check.text == judge::DONE).cloned();
        let idle: Option<Vec<_>> = parts.iter().map(idle).collect();
        checks.extend(idle.and_then(|idle| idle.into_iter().next()));
        checks.extend(judge::sound(self.panics));
        checks.extend(apart.map(|found| Check {
            text: "the parts measure together".to_owned(),
            found,
            outcome: Outcome::Inconclusive,
        }));
        doubts.extend(judge::doubts(&step.figures));
        (self.figures, self.checks, self.warnings) = (step.figures, checks, doubts);
        Ok(())
    }
}

impl Second {
    /// Adds the same second of another part. Percentiles of a second cannot be added; the longest time can.
    fn take(&mut self, other: &Self) {
        self.turns += other.turns;
        self.refused += other.refused;
        self.sockets += other.sockets;
        (self.first_p50_ms, self.first_p99_ms) = (None, None);
        self.first_max_ms = most(self.first_max_ms, other.first_max_ms);
        self.target_cpu = self.target_cpu.or(other.target_cpu);
        self.target_rss = self.target_rss.or(other.target_rss);
        self.generator_cpu = most(self.generator_cpu, other.generator_cpu);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::crowd::{figures::Time, report::sample, sums::Sums};

    fn part(number: usize, of: usize) -> (String, Report) {
        let mut sums = Sums { measured_s: 10.0, turns: 100, worked: 100, ..Sums::default() };
        for n in 0..100 {
            sums.took(Time::Whole, Duration::from_millis(n * number as u64));
        }
        let thresholds = vec!["p99(turn.whole) < 150ms".to_owned()];
        let report = Report {
            part: Some(Part { number: number - 1, of }),
            sums,
            thresholds,
            promises: std::collections::BTreeMap::new(),
            ..sample()
        };
        (format!("{number}.json"), report)
    }

    #[test]
    fn the_whole_is_judged_by_all_turns_and_not_by_a_mean_of_parts_l8() {
        let (one, two) = (part(1, 2), part(2, 2));
        assert!(one.1.sums.figures()["p99(turn.whole)"] < 0.15);

        let whole = merge(&[two, one]).unwrap();

        assert_eq!((whole.sums.turns, whole.users, whole.part), (200, 4, None));
        assert!(whole.figures["p99(turn.whole)"] > 0.19, "{:?}", whole.figures);
        assert_eq!(whole.outcome(), Outcome::Failed);
    }

    #[test]
    fn what_makes_no_whole_is_refused_with_the_reason_l8() {
        let other = |change: fn(&mut Report)| {
            let mut two = part(2, 2);
            change(&mut two.1);
            merge(&[part(1, 2), two])
        };

        assert_eq!(merge(&[]), Err(MergeError::None));
        assert_eq!(merge(&[part(1, 3), part(3, 3)]), Err(MergeError::Incomplete("0, 2".to_owned(), 2)));
        assert_eq!(merge(&[part(1, 2), part(1, 2)]), Err(MergeError::Incomplete("0, 0".to_owned(), 1)));
        let mixed = merge(&[part(1, 2), part(2, 3), part(3, 3)]);
        assert_eq!(mixed, Err(MergeError::Split("2.json".to_owned(), 3, 2)));
        let unknown = |report: &mut Report| report.thresholds = vec!["speed > 9".to_owned()];
        let (mut one, mut two) = (part(1, 2), part(2, 2));
        unknown(&mut one.1);
        unknown(&mut two.1);
        assert_eq!(
            merge(&[one, two]),
            Err(MergeError::Unreadable("1.json".to_owned(), "speed > 9".to_owned()))
        );
        assert_eq!(other(|two| two.part = None), Err(MergeError::NoPart("2.json".to_owned())));
        let different = MergeError::Different("1.json".to_owned(), "2.json".to_owned());
        assert_eq!(other(|two| two.target = "elsewhere".to_owned()), Err(different));
    }

    #[test]
    fn parts_that_did_not_load_together_or_saw_badly_conclude_nothing_l8() {
        let merged = |change: fn(&mut Report)| {
            let mut parts = [part(1, 2), part(2, 2)];
            for (_, part) in &mut parts {
                part.thresholds = vec!["p50(turn.whole) < 10s".to_owned()];
            }
            change(&mut parts[1].1);
            merge(&parts).unwrap()
        };

        assert_eq!(merged(|_| {}).outcome(), Outcome::Held);
        let late = merged(|late| late.measured_at = "2026-01-01T00:00:25Z".to_owned());
        assert!(late.warnings.iter().any(|it| it.contains("20.0 s apart")), "{:?}", late.warnings);
        assert_eq!(late.outcome(), Outcome::Inconclusive);
        assert_eq!(merged(|busy| busy.warnings = vec!["busy".to_owned()]).outcome(), Outcome::Inconclusive);
        assert_eq!(merged(|broken| broken.panics = 1).outcome(), Outcome::Inconclusive);
    }

    #[test]
    fn a_whole_has_done_nothing_if_no_part_has_done_anything_l8() {
        let nothing = Check {
            text: judge::DONE.to_owned(),
            found: "nothing".to_owned(),
            outcome: Outcome::Inconclusive,
        };
        let merged = |idle: usize| {
            let mut parts = [part(1, 2), part(2, 2)];
            for (_, part) in &mut parts {
                part.thresholds = Vec::new();
            }
            for (_, part) in &mut parts[..idle] {
                part.checks = vec![nothing.clone()];
            }
            merge(&parts).unwrap().outcome()
        };

        assert_eq!([0, 1, 2].map(merged), [Outcome::Held, Outcome::Held, Outcome::Inconclusive]);
    }
}
