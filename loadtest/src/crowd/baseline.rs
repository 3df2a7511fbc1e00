//! A run held against earlier ones of the same load.
//!
//! Every figure has a band in which it may wobble: a share of its earlier median, an amount below which nobody cares,
//! and twice the spread of the earlier runs, whichever is widest. Beyond it on the bad side is a regression. Invariant:
//! runs of another machine or another load are shown and judge nothing.

use super::{
    figures::{self, Kind},
    judge,
    report::Report,
    table::shown,
};
use crate::result::{Check, Figure, Outcome};

/// A figure may differ by this share of its median.
const SHARE: f64 = 0.1;
/// The spread of earlier runs counts so many times.
const SPREADS: f64 = 2.0;
/// Times that differ by less are alike: the system's timers are no better.
const SECONDS: f64 = 0.001;
/// Sizes that differ by less are alike.
const BYTES: f64 = 1024.0;

/// Figures that are compared, and whether less of it is better.
const COMPARED: [(&str, bool); 14] = [
    ("p50(turn.first_token)", true),
    ("p99(turn.first_token)", true),
    ("p50(turn.added)", true),
    ("p99(turn.added)", true),
    ("p50(turn.whole)", true),
    ("p99(turn.whole)", true),
    ("p99(connect)", true),
    ("p99(safety)", true),
    ("p99(fact)", true),
    ("cpu_per_1000_turns", true),
    ("rss(target)", true),
    ("rss_per_socket", true),
    ("turns_per_second", false),
    ("facts_per_second", false),
];

impl Report {
    /// Holds this run against earlier ones: adds a check for each figure that they share, or a warning where they are
    /// of another machine or load.
    pub fn hold_against(&mut self, earlier: &[Self]) {
        if let Some(why) = earlier.iter().find_map(|run| self.unlike(run)) {
            self.warnings.push(format!("the baseline judges nothing: it is of another {why}"));
            return;
        }
        let doubtful = !self.warnings.is_empty();
        let checks = COMPARED.iter().filter_map(|(name, less_is_better)| {
            let value = *self.figures.get(*name)?;
            let before: Option<Vec<_>> = earlier.iter().map(|run| run.figures.get(*name).copied()).collect();
            let band = Band::of(name, Figure::of(before?)?);
            let holds = band.holds(value, *less_is_better);
            let outcome = judge::outcome(name, &self.figures, (holds, doubtful));
            Some(band.check(name, (value, *less_is_better), outcome))
        });
        let checks: Vec<_> = checks.collect();
        self.checks.extend(checks);
    }

    /// Says in what an earlier run is not like this one.
    fn unlike(&self, run: &Self) -> Option<&'static str> {
        if run.machine.processor != self.machine.processor || run.machine.cores != self.machine.cores {
            return Some("machine");
        }
        if run.load != self.load || run.target != self.target {
            return Some("load or target");
        }
        if (run.users, run.part) != (self.users, self.part) {
            return Some("number of users");
        }
        None
    }
}

/// Where a figure may lie.
#[derive(Clone, Copy, Debug)]
struct Band {
    median: f64,
    width: f64,
    kind: Kind,
}

impl Band {
    fn of(name: &str, before: Figure) -> Self {
        let kind = figures::kind(name).unwrap_or(Kind::Count);
        let careless = match kind {
            Kind::Time => SECONDS,
            Kind::Bytes => BYTES,
            Kind::Count | Kind::Share => 0.0,
        };
        let spread = (before.max - before.min) * SPREADS;
        Self { median: before.median, width: careless.max(before.median * SHARE).max(spread), kind }
    }

    /// Returns the worst that is as before.
    fn limit(self, less_is_better: bool) -> f64 {
        if less_is_better { self.median + self.width } else { (self.median - self.width).max(0.0) }
    }

    fn holds(self, value: f64, less_is_better: bool) -> bool {
        let limit = self.limit(less_is_better);
        if less_is_better { value <= limit } else { value >= limit }
    }

    fn check(self, name: &str, (value, less_is_better): (f64, bool), outcome: Outcome) -> Check {
        let limit = self.limit(less_is_better);
        let side = if less_is_better { "at most" } else { "at least" };
        Check {
            text: format!("{name} as before: {side} {}", shown(self.kind, limit)),
            found: format!("{}, before {}", shown(self.kind, value), shown(self.kind, self.median)),
            outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(before: &[f64], now: f64) -> bool {
        Band::of("p99(turn.whole)", Figure::of(before.to_vec()).unwrap()).holds(now, true)
    }

    #[test]
    fn a_wobble_is_no_regression_and_a_third_is_one_l5() {
        assert!(holds(&[0.2], 0.206) && holds(&[0.2], 0.1));
        assert!(!holds(&[0.2], 0.26));
    }

    #[test]
    fn what_wobbled_before_may_wobble_as_much_l5() {
        assert!(holds(&[0.18, 0.2, 0.22], 0.26));
        assert!(!holds(&[0.18, 0.2, 0.22], 0.3));
    }

    #[test]
    fn of_a_rate_less_is_worse_l5() {
        let band = Band::of("turns_per_second", Figure::of(vec![100.0]).unwrap());

        assert!(band.holds(97.0, false) && band.holds(130.0, false));
        assert!(!band.holds(70.0, false));
    }
}
