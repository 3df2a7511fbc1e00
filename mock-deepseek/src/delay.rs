//! How long a pause is: by a distribution, with jitter and a tail.
//!
//! Invariant: a pause depends on the draws of the generator only; none is below zero or above
//! [`PAUSE_MAX`].

mod written;

use std::time::Duration;

use serde::Deserialize;

pub(crate) use written::share;

use crate::chance::Chance;

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

    /// Says whether it may be that what is waited for never comes.
    pub(crate) fn may_be_never(&self) -> bool {
        self.distribution == Distribution::Never
            || self.tail.as_ref().is_some_and(|tail| tail.takes.may_be_never())
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

#[cfg(test)]
mod tests;
