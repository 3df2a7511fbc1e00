//! Durations as people write them in profiles: `20ms`, `1.5s`, `2m`.
//!
//! Invariant: every duration has a unit; a bare number is refused.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// Units in the order in which they are tried; those that end with another one come first.
const UNITS: [(&str, f64); 4] = [("us", 0.000_001), ("ms", 0.001), ("s", 1.0), ("m", 60.0)];

/// Parses a duration with one unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration: write a number and a unit, such as `20ms`, `2s` or `1m`");
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

/// For `#[serde(serialize_with)]`: milliseconds as a number.
pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_understood() {
        let parsed: Vec<_> = ["500us", "20ms", "1.5s", "2m"].map(|text| parse(text).unwrap()).into();

        assert_eq!(
            parsed.iter().map(Duration::as_micros).collect::<Vec<_>>(),
            [500, 20_000, 1_500_000, 120_000_000]
        );
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["", "8", "s", "-1s", "eight s", "1e400s"] {
            assert!(parse(text).unwrap_err().contains("such as `20ms`"), "{text}");
        }
    }
}
