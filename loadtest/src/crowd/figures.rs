//! The figures of a run, by the names that thresholds and readers use.
//!
//! A time of which many were taken has a figure for each statistic: `p99(turn.added)`. Values are seconds, bytes,
//! numbers and shares of a core. Invariant: what was not measured is absent, never zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{profile::did_you_mean, tally::Times};

/// Times that are taken again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Time {
    /// From the dial to the open socket, and the welcome of `chat.v1`.
    Connect,
    /// The same where a stream of `chat.v1` is taken up again.
    Resume,
    /// From when a question was due to the first piece of its answer.
    FirstToken,
    /// The same from when it was sent.
    FirstTokenSent,
    /// The same, less the median of the floor.
    Added,
    /// From when a question was due to the end of its turn.
    Whole,
    /// The same from when it was sent.
    WholeSent,
    /// Between two pieces of an answer.
    Gap,
    /// From a question to the model itself to the first piece of its answer.
    Floor,
    /// From when an emergency was told to what to do about it.
    Safety,
    /// From the call to the answer of one read or write of a fact.
    Fact,
    /// How much later than it could have been the generator sent a question.
    Lag,
}

impl Time {
    pub(crate) const ALL: [Self; 12] = [
        Self::Connect,
        Self::Resume,
        Self::FirstToken,
        Self::FirstTokenSent,
        Self::Added,
        Self::Whole,
        Self::WholeSent,
        Self::Gap,
        Self::Floor,
        Self::Safety,
        Self::Fact,
        Self::Lag,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Resume => "resume",
            Self::FirstToken => "turn.first_token",
            Self::FirstTokenSent => "turn.first_token.sent",
            Self::Added => "turn.added",
            Self::Whole => "turn.whole",
            Self::WholeSent => "turn.whole.sent",
            Self::Gap => "turn.gap",
            Self::Floor => "floor.first_token",
            Self::Safety => "safety",
            Self::Fact => "fact",
            Self::Lag => "generator.lag",
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::ALL.into_iter().find(|time| time.name() == name);
        known.ok_or_else(|| D::Error::custom(format_args!("there is no time `{name}`")))
    }
}

/// What kind of value a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Seconds.
    Time,
    /// Bytes.
    Bytes,
    /// A number.
    Count,
    /// A share of a core.
    Share,
}

/// Statistics of a time that is taken again and again, and the share of a percentile.
pub(crate) const STATISTICS: [(&str, Option<f64>); 8] = [
    ("p50", Some(0.5)),
    ("p90", Some(0.9)),
    ("p95", Some(0.95)),
    ("p99", Some(0.99)),
    ("p99.9", Some(0.999)),
    ("max", Some(1.0)),
    ("mean", None),
    ("count", None),
];

/// Figures of which there is one.
pub(crate) const SINGLE: [(&str, Kind); 16] = [
    ("broken", Kind::Count),
    ("turns", Kind::Count),
    ("turns_per_second", Kind::Count),
    ("refused", Kind::Count),
    ("fallbacks", Kind::Count),
    ("unasked", Kind::Count),
    ("reconnects", Kind::Count),
    ("facts", Kind::Count),
    ("facts_per_second", Kind::Count),
    ("sockets", Kind::Count),
    ("cpu_per_1000_turns", Kind::Time),
    ("cpu(target)", Kind::Share),
    ("cpu(generator)", Kind::Share),
    ("rss(target)", Kind::Bytes),
    ("rss_per_socket", Kind::Bytes),
    ("rss(generator)", Kind::Bytes),
];

/// Values by name.
pub(crate) type Figures = BTreeMap<String, f64>;

/// Returns the kind of a figure, if there is such a one.
pub(crate) fn kind(name: &str) -> Option<Kind> {
    if let Some((_, kind)) = SINGLE.iter().find(|(single, _)| *single == name) {
        return Some(*kind);
    }
    let (statistic, time) = name.strip_suffix(')')?.split_once('(')?;
    STATISTICS.iter().find(|(known, _)| *known == statistic)?;
    Time::ALL.iter().find(|known| known.name() == time)?;
    Some(if statistic == "count" { Kind::Count } else { Kind::Time })
}

/// Returns a hint at the figure whose name is most like this one.
pub(crate) fn nearest(name: &str) -> String {
    let many = Time::ALL.iter().flat_map(|time| STATISTICS.iter().map(|(it, _)| named(it, *time)));
    let all: Vec<_> = SINGLE.iter().map(|(name, _)| (*name).to_owned()).chain(many).collect();
    did_you_mean(name, all.iter().map(String::as_str))
}

/// Lists what can be named.
pub(crate) fn known() -> String {
    let singles: Vec<_> = SINGLE.iter().map(|(name, _)| *name).collect();
    let times: Vec<_> = Time::ALL.iter().map(|time| time.name()).collect();
    let statistics: Vec<_> = STATISTICS.iter().map(|(name, _)| *name).collect();
    format!("{}, and {} of {}", singles.join(", "), statistics.join(", "), times.join(", "))
}

fn named(statistic: &str, time: Time) -> String {
    format!("{statistic}({})", time.name())
}

/// Adds the figures of a time; none where it was never taken.
pub(crate) fn summarise(figures: &mut Figures, time: Time, times: &Times) {
    if times.count() == 0 {
        return;
    }
    for (statistic, share) in STATISTICS {
        let value = match share {
            Some(share) => times.quantile_ms(share) / 1000.0,
            None if statistic == "mean" => times.mean_ms() / 1000.0,
            None => whole(times.count()),
        };
        figures.insert(named(statistic, time), value);
    }
}

/// Turns a count into a figure.
#[expect(clippy::cast_precision_loss, reason = "counts of a run are exact in 53 bits")]
pub(crate) const fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_time_that_was_never_taken_has_no_figure() {
        let mut figures = Figures::new();

        summarise(&mut figures, Time::Gap, &Times::default());

        assert!(figures.is_empty());
    }

    #[test]
    fn every_figure_of_a_time_has_a_kind_l5() {
        let (mut figures, mut times) = (Figures::new(), Times::default());
        times.record(Duration::from_millis(250));

        summarise(&mut figures, Time::FirstToken, &times);

        assert_eq!(figures.len(), STATISTICS.len());
        assert!(figures.keys().all(|name| kind(name).is_some()), "{figures:?}");
        assert!((figures["p99(turn.first_token)"] - 0.25).abs() < 0.001, "{figures:?}");
    }
}
