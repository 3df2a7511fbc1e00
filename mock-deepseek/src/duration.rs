//! Durations as people write them in scripts and fault files: `250ms`, `1.5s`, `2m`, `1h`.
//!
//! Invariant: every duration has a unit; a bare number is refused.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// Units in the order in which they are tried; `ms` must come before `s` and `m`.
const UNITS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Parses a duration with one unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration: write a number and a unit, such as `250ms`, `8s` or `2m`");
    let (number, seconds) = UNITS
        .iter()
        .find_map(|&(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

/// For `#[serde(deserialize_with)]`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// How long something lasts: a duration, or `forever`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    Forever,
    For(Duration),
}

impl Lasts {
    /// Returns the time after which even `forever` is over, because the mock gives up the connection.
    pub(crate) fn bounded(self) -> Duration {
        match self {
            Self::Forever => FOREVER,
            Self::For(pause) => pause,
        }
    }
}

/// A connection that lasts for ever is given up after this time.
pub(crate) const FOREVER: Duration = Duration::from_hours(24);

impl<'de> Deserialize<'de> for Lasts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "forever" => Ok(Self::Forever),
            text => parse(text).map(Self::For).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_understood() {
        let parsed: Vec<_> = ["250ms", "1.5s", "2m", "1h", "0s"].map(|text| parse(text).unwrap()).into();

        assert_eq!(
            parsed.iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [250, 1500, 120_000, 3_600_000, 0]
        );
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["", "8", "s", "-1s", "eight s", "1e400s"] {
            assert!(parse(text).unwrap_err().contains("such as `250ms`"), "{text}");
        }
    }
}
