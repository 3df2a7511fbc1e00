//! What must hold of a figure: `p99(turn.first_token) < 300ms`, `broken == 0`, `rss(target) < 400MiB`.
//!
//! Invariant: a threshold names a figure that there is, and its limit has a unit of that figure's kind.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::figures::{self, Kind};

/// Something that must hold of a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As it was written, with single spaces.
    text: String,
    figure: String,
    relation: Relation,
    limit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
}

/// In the order in which they are looked for.
const RELATIONS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("==", Relation::Equal),
    ("<", Relation::Below),
    (">", Relation::Above),
];

/// A threshold that says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// There is no relation in it.
    #[error("`{0}` is no threshold: write one such as `p99(turn.first_token) < 300ms` or `broken == 0`")]
    Shape(String),
    /// There is no such figure.
    #[error("there is no figure `{name}`{hint}\n  hint: there is {known}")]
    Figure {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        hint: String,
        /// All that there are.
        known: String,
    },
    /// The limit is no value of the figure's kind.
    #[error("`{limit}` is no limit of `{figure}`: write {example}")]
    Limit {
        /// What was written.
        limit: String,
        /// Of which figure.
        figure: String,
        /// What could be written.
        example: &'static str,
    },
}

impl Threshold {
    /// Returns the name of the figure.
    pub(crate) fn figure(&self) -> &str {
        &self.figure
    }

    /// Says whether a value is as it must be.
    pub(crate) fn holds(&self, value: f64) -> bool {
        match self.relation {
            Relation::Below => value < self.limit,
            Relation::AtMost => value <= self.limit,
            Relation::Above => value > self.limit,
            Relation::AtLeast => value >= self.limit,
            // Counts and limits that were written are exact.
            Relation::Equal => (value - self.limit).abs() < f64::EPSILON,
        }
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = RELATIONS.iter().find_map(|(sign, relation)| {
            let (figure, limit) = text.split_once(sign)?;
            Some((figure.trim(), *sign, *relation, limit.trim()))
        });
        let Some((figure, sign, relation, limit)) = found else {
            return Err(ThresholdError::Shape(text.to_owned()));
        };
        let kind = figures::kind(figure).ok_or_else(|| ThresholdError::Figure {
            name: figure.to_owned(),
            hint: figures::nearest(figure),
            known: figures::known(),
        })?;
        let value = kind.parse(limit).ok_or_else(|| ThresholdError::Limit {
            limit: limit.to_owned(),
            figure: figure.to_owned(),
            example: kind.example(),
        })?;
        let text = format!("{figure} {sign} {limit}");
        Ok(Self { text, figure: figure.to_owned(), relation, limit: value })
    }
}

impl Kind {
    /// Reads a value with its unit, in the unit of the figures: seconds, bytes, plain numbers, shares.
    fn parse(self, text: &str) -> Option<f64> {
        let units: &[(&str, f64)] = match self {
            Self::Time => &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)],
            Self::Bytes => {
                &[("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0), ("kB", 1000.0), ("B", 1.0)]
            }
            Self::Share => &[("%", 0.01)],
            Self::Count => &[("", 1.0)],
        };
        let (number, factor) =
            units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
        let number: f64 = number.trim().parse().ok()?;
        (number >= 0.0 && number.is_finite()).then_some(number * factor)
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Time => "a time, such as `300ms`",
            Self::Bytes => "a size, such as `400MiB` or `12kB`",
            Self::Share => "a share, such as `90%`",
            Self::Count => "a number without a unit",
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, value: f64) -> bool {
        text.parse::<Threshold>().unwrap().holds(value)
    }

    #[test]
    fn each_relation_and_each_unit_is_understood_l5() {
        assert!(holds("p99(turn.first_token)<300ms", 0.299) && !holds("p99(turn.first_token) < 300ms", 0.3));
        assert!(holds("broken == 0", 0.0) && !holds("broken == 0", 1.0));
        assert!(holds("rss(target) <= 400MiB", 400.0 * 1_048_576.0));
        assert!(holds("rss_per_socket < 12kB", 11_999.0) && !holds("rss_per_socket < 12kB", 12_000.0));
        assert!(holds("cpu(generator) < 90%", 0.89) && !holds("cpu(generator) < 90%", 0.91));
        assert!(holds("turns >= 10", 10.0) && holds("turns > 10", 11.0) && !holds("turns > 10", 10.0));
    }

    #[test]
    fn what_is_no_threshold_is_refused_with_the_way_out_l5() {
        let error = |text: &str| text.parse::<Threshold>().unwrap_err().to_string();

        assert!(error("fast").contains("write one such as `p99(turn.first_token) < 300ms`"));
        assert!(error("p99(turn.frist_token) < 1ms").contains("did you mean `p99(turn.first_token)`?"));
        assert_eq!(
            error("rss(target) < 300ms"),
            "`300ms` is no limit of `rss(target)`: write a size, such as `400MiB` or `12kB`"
        );
        assert!(error("broken == -1").contains("a number without a unit"));
    }
}
