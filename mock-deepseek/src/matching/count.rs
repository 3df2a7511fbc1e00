//! Conditions on numbers that count.

use serde::{Deserialize, Deserializer};

use crate::notation::{self, Notation, Short};

/// A condition on a number that counts; a bare number means exactly so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The least.
    pub at_least: u64,
    /// The most.
    pub at_most: u64,
    /// Counted from the least, every one (1), every second (2) and so on.
    pub every: u64,
}

impl From<u64> for Count {
    fn from(exactly: u64) -> Self {
        Self { at_least: exactly, at_most: exactly, every: 1 }
    }
}

impl Count {
    pub(super) fn holds(self, number: u64) -> bool {
        (self.at_least..=self.at_most).contains(&number)
            && (number - self.at_least).is_multiple_of(self.every.max(1))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongCount {
    at_least: Option<u64>,
    at_most: Option<u64>,
    every: Option<u64>,
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for Count {
    type Long = LongCount;
    const EXPECTED: &'static str =
        "a whole number, or a table such as `{ at_least = 2, at_most = 5 }` or `{ every = 3 }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Whole(number) = short else { return None };
        Some(u64::try_from(number).map(Self::from).map_err(|_| "a count is not below 0".to_owned()))
    }

    fn long(long: LongCount) -> Result<Self, String> {
        let every = long.every.unwrap_or(1);
        // `every = 3` alone means the 3rd, the 6th and so on.
        let at_least = long.at_least.or(long.every).unwrap_or(0);
        let at_most = long.at_most.unwrap_or(u64::MAX);
        match (every, at_least <= at_most) {
            (0, _) => Err("`every` is 1 at least".to_owned()),
            (_, false) => Err(format!("`at_most` is below {at_least}: no number fits")),
            _ => Ok(Self { at_least, at_most, every }),
        }
    }
}
