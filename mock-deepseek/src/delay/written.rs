//! Delays as scripts and latency files write them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{Delay, Distribution, Per, Tail};
use crate::{
    duration,
    notation::{self, Notation, Short},
};

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
