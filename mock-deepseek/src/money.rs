//! Amounts of money, exact.
//!
//! Invariant: no amount passes through a binary fraction; a sum of many small bills is exact.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::notation::{self, Notation, Short};

/// An amount is counted in so small parts of the currency, because a token of a million costs little.
const PARTS: i64 = 1_000_000_000_000;
/// The decimals of [`PARTS`].
const DECIMALS: usize = 12;
/// The largest amount; ten times as much would still fit.
const WHOLE_MAX: i64 = 900_000;

/// An amount in some currency, written as a decimal number: `"10.00"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    parts: i64,
}

impl Money {
    /// Reads a decimal number; the error is a line in words.
    pub fn new(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not an amount: write a decimal number such as `10.00`, at most {WHOLE_MAX} and with at most {DECIMALS} decimals"
            )
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > DECIMALS {
            return Err(wrong());
        }
        let whole = whole.parse::<i64>().ok().filter(|whole| *whole < WHOLE_MAX).ok_or_else(wrong)?;
        let decimals: i64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| wrong())?;
        Ok(Self { parts: whole * PARTS + decimals })
    }

    pub(crate) const fn from_parts(parts: i64) -> Self {
        Self { parts }
    }

    pub(crate) const fn parts(self) -> i64 {
        self.parts
    }

    /// Returns what so many units cost when a million of them cost this.
    pub(crate) fn of_a_million(self, units: usize) -> i64 {
        let units = i128::try_from(units).unwrap_or(i128::MAX);
        let cost = i128::from(self.parts).saturating_mul(units) / 1_000_000;
        i64::try_from(cost).unwrap_or(i64::MAX)
    }
}

/// With two decimals, as the API shows it; what is less is cut off.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.parts / (PARTS / 100);
        let sign = if cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

/// Nothing but short notations.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoTable {}

impl Notation for Money {
    type Long = NoTable;
    const EXPECTED: &'static str = "an amount such as \"10.00\"";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        Some(match short {
            Short::Text(text) => Self::new(text),
            Short::Whole(number) => Self::new(&number.to_string()),
            // The shortest decimal that means this number is the one that was written.
            Short::Decimal(number) => Self::new(&number.to_string()),
        })
    }

    fn long(_: NoTable) -> Result<Self, String> {
        Err("an amount is no table: write a decimal number such as `10.00`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_shown_with_two_decimals() {
        let shown = ["10", "10.00", "0.5", "0.019", "899999.999999999999"]
            .map(|text| Money::new(text).unwrap().to_string());

        assert_eq!(shown, ["10.00", "10.00", "0.50", "0.01", "899999.99"]);
        assert_eq!(Money::from_parts(-1).to_string(), "0.00");
    }

    #[test]
    fn what_is_no_amount_is_refused_with_an_example() {
        for text in
            ["", "-1", "1,5", "ten", "1.", ".5", "1e3", "900000", "0.0000000000001", "99999999999999999999"]
        {
            assert!(Money::new(text).unwrap_err().contains("such as `10.00`"), "{text}");
        }
    }

    #[test]
    fn a_million_units_cost_the_price_of_a_million() {
        let price = Money::new("0.28").unwrap();

        assert_eq!(Money::from_parts(price.of_a_million(1_000_000)), price);
        assert_eq!(price.of_a_million(1), 280_000);
        assert_eq!(Money::new("899999").unwrap().of_a_million(usize::MAX), i64::MAX);
    }
}
