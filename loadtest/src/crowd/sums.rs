//! What was measured in one window: histograms and counts that add up, and the figures made of them.
//!
//! Invariant: the sums of several generators, added, are what one generator would have counted in their place; what cannot
//! be added (the memory of the one target that all of them saw) is taken from whoever saw it.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::{self, Figures, Time, whole};
use crate::tally::Times;

/// What one measured window brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sums {
    /// Measured time, in seconds.
    pub measured_s: f64,
    /// Every time that was taken, as HDR histograms of microseconds (V2, deflated, Base64).
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) times: BTreeMap<Time, Times>,
    /// Turns that ended with a whole answer, of those that were due while it was measured.
    pub turns: u64,
    /// Turns of any kind that ended while it was measured: what the target worked for.
    pub worked: u64,
    /// Answers with another text than the model's.
    pub fallbacks: u64,
    /// Questions that were due and never asked.
    pub unasked: u64,
    /// Writes of facts that were acknowledged while it was measured.
    pub facts: u64,
    /// Sockets that were open at the last measured moment.
    pub sockets: u64,
    /// Since the window before: promises that were broken.
    pub broken: u64,
    /// The same: messages that were refused.
    pub refused: u64,
    /// The same: sockets that were opened again.
    pub reconnects: u64,
    /// Processor time of the target, in seconds.
    pub target_cpu_s: Option<f64>,
    /// Memory of the target at the end, in bytes.
    pub target_rss: Option<u64>,
    /// What it grew by since before the first user came, in bytes.
    pub target_grown: Option<u64>,
    /// Processor time of the busiest generator, as a share of a core.
    pub generator_cpu: Option<f64>,
    /// Memory of the largest generator at the end, in bytes.
    pub generator_rss: Option<u64>,
}

impl Sums {
    pub(crate) fn took(&mut self, time: Time, span: Duration) {
        self.times.entry(time).or_default().record(span);
    }

    /// Adds what another generator has seen of the same window.
    pub(crate) fn add(&mut self, other: &Self) {
        self.measured_s = self.measured_s.max(other.measured_s);
        for (time, times) in &other.times {
            self.times.entry(*time).or_default().add(times);
        }
        self.turns += other.turns;
        self.worked += other.worked;
        self.fallbacks += other.fallbacks;
        self.unasked += other.unasked;
        self.facts += other.facts;
        self.sockets += other.sockets;
        self.broken += other.broken;
        self.refused += other.refused;
        self.reconnects += other.reconnects;
        self.target_cpu_s = most(self.target_cpu_s, other.target_cpu_s);
        self.target_rss = self.target_rss.max(other.target_rss);
        self.target_grown = self.target_grown.max(other.target_grown);
        self.generator_cpu = most(self.generator_cpu, other.generator_cpu);
        self.generator_rss = self.generator_rss.max(other.generator_rss);
    }

    /// Returns the figures.
    pub(crate) fn figures(&self) -> Figures {
        let mut figures = Figures::new();
        for (time, times) in &self.times {
            figures::summarise(&mut figures, *time, times);
        }
        if let Some(added) = self.added() {
            figures::summarise(&mut figures, Time::Added, &added);
        }
        let sockets = whole(self.sockets);
        let has_facts = self.facts > 0;
        let put = [
            ("broken", Some(whole(self.broken))),
            ("turns", Some(whole(self.turns))),
            ("turns_per_second", Some(whole(self.worked) / self.measured_s)),
            ("refused", Some(whole(self.refused))),
            ("fallbacks", Some(whole(self.fallbacks))),
            ("unasked", Some(whole(self.unasked))),
            ("reconnects", Some(whole(self.reconnects))),
            ("facts", has_facts.then(|| whole(self.facts))),
            ("facts_per_second", has_facts.then(|| whole(self.facts) / self.measured_s)),
            ("sockets", Some(sockets)),
            ("cpu_per_1000_turns", self.target_cpu_s.map(|cpu| cpu * 1000.0 / whole(self.worked))),
            ("cpu(target)", self.target_cpu_s.map(|cpu| cpu / self.measured_s)),
            ("cpu(generator)", self.generator_cpu),
            ("rss(target)", self.target_rss.map(whole)),
            ("rss(generator)", self.generator_rss.map(whole)),
            ("rss_per_socket", self.target_grown.map(|bytes| whole(bytes) / sockets)),
        ];
        let finite = |value: &f64| value.is_finite();
        figures.extend(
            put.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.filter(finite)?))),
        );
        figures
    }

    /// Returns what the target added to the first token: the time from the question less the median of the floor.
    fn added(&self) -> Option<Times> {
        let floor = self.times.get(&Time::Floor).filter(|floor| floor.count() > 0)?;
        Some(self.times.get(&Time::FirstTokenSent)?.less(floor.quantile_ms(0.5)))
    }
}

/// Returns the larger of two figures, of which either may be absent.
pub(super) fn most(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

    use super::*;

    /// Shares out a thousand turns over so many generators, and returns what each has counted.
    fn shared_out(generators: usize) -> Vec<Sums> {
        let mut dice = StdRng::seed_from_u64(7);
        let mut all = vec![Sums { measured_s: 10.0, ..Sums::default() }; generators];
        for n in 0..1000 {
            let sums = &mut all[n % generators];
            sums.took(Time::Whole, Duration::from_micros(dice.random_range(100..2_000_000)));
            sums.took(Time::FirstTokenSent, Duration::from_micros(dice.random_range(100..9_000)));
            sums.took(Time::Floor, Duration::from_micros(dice.random_range(100..400)));
            sums.turns += 1;
            sums.worked += 1;
        }
        all
    }

    #[test]
    fn what_many_generators_saw_adds_up_to_what_one_would_have_seen_l8() {
        let one = shared_out(1).remove(0);

        for generators in [2, 3, 7] {
            let parts = shared_out(generators);
            let mut merged = Sums::default();
            for part in &parts {
                merged.add(part);
            }

            assert_eq!(merged.figures(), one.figures(), "{generators}");
        }
    }

    #[test]
    fn what_was_written_is_read_again_to_the_last_bucket_l8() {
        let sums = shared_out(1).remove(0);

        let read: Sums = serde_json::from_str(&serde_json::to_string(&sums).unwrap()).unwrap();

        assert_eq!(read, sums);
        assert!(serde_json::from_str::<Sums>(r#"{"times": {"turn.whole": "nonsense"}}"#).is_err());
    }

    #[test]
    fn every_figure_has_a_kind_and_what_was_not_measured_has_none_l5() {
        let figures = Sums { measured_s: 1.0, sockets: 1, ..Sums::default() }.figures();

        assert!(figures.keys().all(|name| figures::kind(name).is_some()), "{figures:?}");
        for absent in ["facts", "cpu(target)", "rss(target)", "p50(turn.whole)"] {
            assert!(!figures.contains_key(absent), "{absent}");
        }
    }
}
