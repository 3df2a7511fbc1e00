//! How long a pause is: by a distribution, with jitter and a tail.
//!
//! Invariant: a pause depends on the draws of the generator only; none is below zero or above
//! [`PAUSE_MAX`].

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{
    chance::Chance,
    duration,
    notation::{self, Notation, Short},
};

/// The longest pause that a distribution may give.
pub const PAUSE_MAX: Duration = Duration::from_hours(24);

/// A pause, drawn anew each time.
///
/// In a script it is a duration, `"never"`, or a table with one distribution and, if wanted,
/// `jitter`, `tail`, `per` and `source`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delay {
    /// How most pauses are spread.
    pub distribution: Distribution,
    /// Up to so much more or less, evenly.
    pub jitter: Duration,
    /// A share of the pauses that is spread otherwise.
    pub tail: Option<Box<Tail>>,
    /// How often it is drawn.
    pub per: Per,
}

/// How pauses are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// What is waited for never comes.
    Never,
    /// Always the same.
    Constant(Duration),
    /// Evenly between two durations.
    Uniform {
        /// The shortest.
        from: Duration,
        /// The longest.
        to: Duration,
    },
    /// As a bell; what would be below zero is zero.
    Normal {
        /// The middle.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// As a bell over the logarithm: most are near the median, some far above.
    Lognormal {
        /// Half are shorter.
        median: Duration,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// As waiting for events that come independently of each other.
    Exponential {
        /// The average.
        mean: Duration,
    },
}

/// The other hump of a distribution with two.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tail {
    /// How many of the pauses, from 0 to 1.
    #[serde(deserialize_with = "share")]
    pub share: f64,
    /// How these are spread.
    pub takes: Delay,
}

/// How often a pause is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    /// Anew for each event.
    #[default]
    Event,
    /// Once for each request: all its pauses are alike, jitter apart.
    Request,
}

impl Default for Distribution {
    fn default() -> Self {
        Self::Constant(Duration::ZERO)
    }
}

impl From<Duration> for Delay {
    fn from(pause: Duration) -> Self {
        Self { distribution: Distribution::Constant(pause), ..Self::default() }
    }
}

impl Delay {
    /// Says whether it is always zero.
    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Draws a pause without its jitter; `None` for never.
    pub(crate) fn draw(&self, chance: &mut Chance) -> Option<Duration> {
        match &self.tail {
            Some(tail) if chance.unit() < tail.share => tail.takes.draw(chance),
            _ => self.distribution.draw(chance),
        }
    }

    /// Adds the jitter to a drawn pause.
    pub(crate) fn jittered(&self, pause: Duration, chance: &mut Chance) -> Duration {
        if self.jitter.is_zero() {
            return pause;
        }
        seconds(pause.as_secs_f64() + self.jitter.as_secs_f64() * (2.0 * chance.unit() - 1.0))
    }
}

impl Distribution {
    fn draw(self, chance: &mut Chance) -> Option<Duration> {
        Some(match self {
            Self::Never => return None,
            Self::Constant(pause) => pause.min(PAUSE_MAX),
            Self::Uniform { from, to } => {
                seconds(from.as_secs_f64() + chance.unit() * to.saturating_sub(from).as_secs_f64())
            }
            Self::Normal { mean, deviation } => {
                seconds(mean.as_secs_f64() + deviation.as_secs_f64() * chance.normal())
            }
            Self::Lognormal { median, sigma } => {
                seconds(median.as_secs_f64() * (sigma * chance.normal()).exp())
            }
            Self::Exponential { mean } => seconds(-mean.as_secs_f64() * (1.0 - chance.unit()).ln()),
        })
    }
}

/// Makes a pause of so many seconds, within the bounds.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, PAUSE_MAX.as_secs_f64())).unwrap_or(Duration::ZERO)
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for Delay {
    type Long = Long;
    const EXPECTED: &'static str = "a duration such as `300ms`, `never`, or a table such as `{ uniform = { from = \"1s\", to = \"2s\" } }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        match short {
            Short::Text("never") => Some(Ok(Self { distribution: Distribution::Never, ..Self::default() })),
            Short::Text(text) => Some(duration::parse(text).map(Self::from)),
            _ => None,
        }
    }

    fn long(long: Long) -> Result<Self, String> {
        let distributions = [
            long.constant.map(Distribution::from),
            long.uniform.map(Distribution::from),
            long.normal.map(Distribution::from),
            long.lognormal.map(Distribution::from),
            long.exponential.map(Distribution::from),
        ];
        let mut given = distributions.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(distribution), None) => {
                Ok(Self { distribution, jitter: long.jitter, tail: long.tail, per: long.per })
            }
            (found, _) => Err(format!(
                "{} distribution is given: write one of `constant`, `uniform`, `normal`, `lognormal` and `exponential`",
                if found.is_none() { "no" } else { "more than one" }
            )),
        }
    }
}

/// The long notation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Long {
    constant: Option<Constant>,
    uniform: Option<Uniform>,
    normal: Option<Normal>,
    lognormal: Option<Lognormal>,
    exponential: Option<Exponential>,
    #[serde(default, deserialize_with = "duration::deserialize")]
    jitter: Duration,
    tail: Option<Box<Tail>>,
    #[serde(default)]
    per: Per,
    /// Where the numbers come from; for readers only.
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

#[derive(Deserialize)]
struct Constant(#[serde(deserialize_with = "duration::deserialize")] Duration);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
struct Uniform {
    #[serde(deserialize_with = "duration::deserialize")]
    from: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    to: Duration,
}

impl<'de> Deserialize<'de> for Uniform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let uniform = Self::deserialize(deserializer)?;
        if uniform.from > uniform.to {
            return Err(serde::de::Error::custom("`from` is longer than `to`: swap them"));
        }
        Ok(uniform)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Normal {
    #[serde(deserialize_with = "duration::deserialize")]
    mean: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    deviation: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lognormal {
    #[serde(deserialize_with = "duration::deserialize")]
    median: Duration,
    #[serde(deserialize_with = "sigma")]
    sigma: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exponential {
    #[serde(deserialize_with = "duration::deserialize")]
    mean: Duration,
}

impl From<Constant> for Distribution {
    fn from(Constant(pause): Constant) -> Self {
        Self::Constant(pause)
    }
}

impl From<Uniform> for Distribution {
    fn from(Uniform { from, to }: Uniform) -> Self {
        Self::Uniform { from, to }
    }
}

impl From<Normal> for Distribution {
    fn from(Normal { mean, deviation }: Normal) -> Self {
        Self::Normal { mean, deviation }
    }
}

impl From<Lognormal> for Distribution {
    fn from(Lognormal { median, sigma }: Lognormal) -> Self {
        Self::Lognormal { median, sigma }
    }
}

impl From<Exponential> for Distribution {
    fn from(Exponential { mean }: Exponential) -> Self {
        Self::Exponential { mean }
    }
}

/// Reads a share or a probability: a number from 0 to 1.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    between(deserializer, (0.0, 1.0), "a share is a number from 0 to 1: write `0.02` for 2 %")
}

fn sigma<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    between(deserializer, (0.0, 10.0), "`sigma` is a number from 0 to 10; 0.3 is a narrow bell, 1 a wide one")
}

fn between<'de, D: Deserializer<'de>>(
    deserializer: D,
    (least, most): (f64, f64),
    otherwise: &str,
) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // Not a range check alone: NaN is in no range.
    if (least..=most).contains(&number) { Ok(number) } else { Err(serde::de::Error::custom(otherwise)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u32 = 10_000;

    fn delay(toml: &str) -> Delay {
        #[derive(Deserialize)]
        struct File {
            d: Delay,
        }
        toml::from_str::<File>(&format!("d = {toml}")).unwrap().d
    }

    /// Draws with their jitter, in order of length, in milliseconds.
    fn sorted(toml: &str) -> Vec<f64> {
        let (delay, mut chance) = (delay(toml), Chance::new(11, 0));
        let draw = |_| {
            let pause = delay.draw(&mut chance).unwrap();
            delay.jittered(pause, &mut chance).as_secs_f64() * 1000.0
        };
        let mut draws: Vec<_> = (0..DRAWS).map(draw).collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    fn mean(draws: &[f64]) -> f64 {
        draws.iter().sum::<f64>() / f64::from(DRAWS)
    }

    /// The draw below which so many percent lie.
    fn percentile(draws: &[f64], percent: usize) -> f64 {
        draws[draws.len() * percent / 100]
    }

    fn near(actual: f64, wanted: f64, within: f64) {
        assert!((actual - wanted).abs() <= within, "{actual} is not {wanted} ± {within}");
    }

    #[test]
    fn a_constant_is_exact() {
        assert_eq!(delay("\"15ms\"").draw(&mut Chance::new(0, 0)), Some(Duration::from_millis(15)));
        assert_eq!(delay("{ constant = \"15ms\" }"), delay("\"15ms\""));
    }

    #[test]
    fn never_never_comes() {
        assert_eq!(delay("\"never\"").draw(&mut Chance::new(0, 0)), None);
    }

    #[test]
    fn uniform_draws_fill_the_range_evenly_m8() {
        let draws = sorted("{ uniform = { from = \"100ms\", to = \"300ms\" } }");

        near(draws[0], 100.0, 0.5);
        near(draws[draws.len() - 1], 300.0, 0.5);
        near(mean(&draws), 200.0, 2.5);
        near(percentile(&draws, 25), 150.0, 4.0);
    }

    #[test]
    fn normal_draws_are_a_bell_that_stops_at_zero_m8() {
        let draws = sorted("{ normal = { mean = \"500ms\", deviation = \"50ms\" } }");
        near(mean(&draws), 500.0, 2.0);
        near(percentile(&draws, 84), 549.7, 4.0);

        let wide = sorted("{ normal = { mean = \"10ms\", deviation = \"100ms\" } }");
        near(wide[0], 0.0, 0.0);
    }

    #[test]
    fn lognormal_draws_have_their_median_and_a_long_end_m8() {
        let draws = sorted("{ lognormal = { median = \"850ms\", sigma = 0.5 } }");

        near(percentile(&draws, 50), 850.0, 20.0);
        // Of a standard normal, 95 % lie below 1.645.
        near(percentile(&draws, 95), 850.0 * (0.5_f64 * 1.645).exp(), 70.0);
    }

    #[test]
    fn exponential_draws_have_their_mean_and_its_median_m8() {
        let draws = sorted("{ exponential = { mean = \"100ms\" } }");

        near(mean(&draws), 100.0, 4.0);
        near(percentile(&draws, 50), 69.3, 4.0);
    }

    #[test]
    fn a_tail_has_its_share_and_nothing_lies_between_the_humps_m8() {
        let draws = sorted(
            "{ constant = \"2s\", tail = { share = 0.05, takes = { uniform = { from = \"7s\", to = \"25s\" } } } }",
        );

        let slow = draws.iter().filter(|&&draw| draw >= 7000.0).count();
        // Four standard deviations of 10 000 throws.
        assert!((413..=587).contains(&slow), "{slow}");
        assert_eq!(draws.iter().filter(|&&draw| draw > 2000.0 && draw < 7000.0).count(), 0);
    }

    #[test]
    fn jitter_goes_both_ways_and_no_further_m8() {
        let draws = sorted("{ constant = \"15ms\", jitter = \"5ms\" }");

        near(draws[0], 10.0, 0.1);
        near(draws[draws.len() - 1], 20.0, 0.1);
        near(mean(&draws), 15.0, 0.15);
    }

    #[test]
    fn no_draw_is_longer_than_the_bound() {
        let draws = sorted("{ lognormal = { median = \"10h\", sigma = 10 } }");

        near(draws[draws.len() - 1], PAUSE_MAX.as_secs_f64() * 1000.0, 0.0);
    }
}
