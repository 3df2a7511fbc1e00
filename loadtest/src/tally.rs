//! What the connections of a load have seen, in counts and histograms.
//!
//! Invariant: what is counted in a window is taken out with it; what is broken is kept until the end,
//! wherever it happened.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer as HistogramReader, Serializer as _, V2DeflateSerializer},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

use crate::broken::Broken;

/// Times are kept to the microsecond, up to this many of them; longer ones count as this long.
const TIME_MAX_US: u64 = 600_000_000;
/// Three significant digits: a bucket is at most 0.1 % wide.
const DIGITS: u8 = 3;

/// Times, as a histogram of microseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants, and a test makes one")]
        let histogram = Histogram::new_with_bounds(1, TIME_MAX_US, DIGITS).expect("the bounds are sound");
        Self(histogram)
    }
}

impl Times {
    pub(crate) fn record(&mut self, time: Duration) {
        self.record_many(time, 1);
    }

    pub(crate) fn record_many(&mut self, time: Duration, count: u64) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record_n(micros.min(TIME_MAX_US), count);
    }

    /// Returns these times, each shorter by so many milliseconds, and none shorter than nothing.
    pub(crate) fn less(&self, ms: f64) -> Self {
        let (less, mut shorter) = (Duration::from_secs_f64(ms / 1000.0), Self::default());
        for value in self.0.iter_recorded() {
            let time = Duration::from_micros(value.value_iterated_to()).saturating_sub(less);
            shorter.record_many(time, value.count_since_last_iteration());
        }
        shorter
    }

    /// Adds others to these, bucket by bucket.
    pub(crate) fn add(&mut self, others: &Self) {
        // Both have the same bounds, so that nothing can be beyond them.
        self.0.add(&others.0).unwrap_or_default();
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns the mean, in milliseconds; zero for none.
    pub(crate) fn mean_ms(&self) -> f64 {
        self.0.mean() / 1000.0
    }

    /// Returns the time that this share (0 to 1) does not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "ten minutes of microseconds are exact in 53 bits")]
        let micros = self.0.value_at_quantile(share) as f64;
        micros / 1000.0
    }
}

/// As the form that tools for HDR histograms exchange: V2, deflated, Base64.
impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).map_err(S::Error::custom)?;
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        let read: Histogram<u64> =
            HistogramReader::new().deserialize(&mut bytes.as_slice()).map_err(D::Error::custom)?;
        // It is put into the bounds that all have; what lies beyond them counts as the longest.
        let mut times = Self::default();
        for value in read.iter_recorded() {
            let time = Duration::from_micros(value.value_iterated_to());
            times.record_many(time, value.count_since_last_iteration());
        }
        Ok(times)
    }
}

/// Counts and times of one window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Whole answers.
    pub(crate) answers: u64,
    /// Events of streams, `[DONE]` included.
    pub(crate) events: u64,
    /// `[DONE]` events, as whole answers tell.
    pub(crate) done: u64,
    /// From the request to the end of the answer.
    pub(crate) answer: Times,
    /// From the request to the first event.
    pub(crate) first: Times,
    /// From one read that brought events to the next, within an answer.
    pub(crate) gap: Times,
}

impl Tally {
    /// Returns the chunks: events without those that only say that it is over.
    pub(crate) fn chunks(&self) -> u64 {
        self.events.saturating_sub(self.done)
    }
}

/// What is kept from the first connection to the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The window that is being filled.
    pub(crate) window: Tally,
    /// Whole answers, in windows or not.
    pub(crate) whole: u64,
    /// Broken answers by kind.
    pub(crate) broken: BTreeMap<Broken, u64>,
    /// Answers that were cut at the end by plan, and so not judged.
    pub(crate) unjudged: u64,
    /// Connections on which an answer has begun, each counted once however often it is opened again.
    pub(crate) begun: usize,
    /// Connections that were opened again, after the target had closed one or broken an answer.
    pub(crate) reopened: u64,
}

impl Record {
    pub(crate) fn break_with(&mut self, broken: Broken) {
        *self.broken.entry(broken).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_within_a_bucket_of_the_truth_m18() {
        let mut times = Times::default();

        for micros in 1..=100_000 {
            times.record(Duration::from_micros(micros));
        }

        for (share, truth) in [(0.5, 50.0), (0.99, 99.0), (0.999, 99.9)] {
            assert!((times.quantile_ms(share) / truth - 1.0).abs() < 0.001, "{}", times.quantile_ms(share));
        }
    }

    #[test]
    fn a_time_beyond_all_bounds_counts_as_the_longest() {
        let mut times = Times::default();

        times.record(Duration::MAX);

        assert_eq!(times.count(), 1);
        assert!(times.quantile_ms(1.0) >= 600_000.0);
    }
}
