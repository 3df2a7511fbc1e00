//! Durations and counts by name: `llm.breaker.cooldown + 1s`, `2 * limits.messages.burst`.
//!
//! A scenario says what it waits for, not how long that is: names are settings of the target, so the
//! same file runs with 300 virtual seconds on one target and with 3 real ones on another. There is no
//! logic here beyond `+`, `-`, `*` and `/`, evaluated from left to right with `*` and `/` first.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

/// The settings of a target by dotted name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings(pub BTreeMap<String, Value>);

impl Settings {
    /// Flattens nested tables into dotted names.
    pub fn flatten(nested: &Value) -> Self {
        let mut flat = BTreeMap::new();
        flatten_into(&mut flat, String::new(), nested);
        Self(flat)
    }

    /// Returns the name that is most like `name`, if one is at all.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        crate::parse::nearest(name, self.0.keys().map(String::as_str))
    }
}

fn flatten_into(flat: &mut BTreeMap<String, Value>, path: String, value: &Value) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten_into(flat, path, value);
            }
        }
        leaf => {
            flat.insert(path, leaf.clone());
        }
    }
}

/// A sum of durations or counts, some of them named.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    source: String,
    /// Signed terms: each a product of factors.
    terms: Vec<(Sign, Vec<(Operator, Atom)>)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    Plus,
    Minus,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Times,
    Over,
}

#[derive(Clone, Debug, PartialEq)]
enum Atom {
    Number(f64),
    Span(Duration),
    Name(String),
}

/// An expression that cannot be read, or means nothing on this target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// It does not follow the grammar.
    #[error(
        "`{0}` is not a duration or count; write e.g. `30s`, `10`, `llm.total + 1s`, `2 * limits.messages.period`"
    )]
    Syntax(String),
    /// The target has no such setting.
    #[error("target has no setting `{name}`{}", hint(.nearest.as_deref()))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// A duration where a count belongs, or the other way round.
    #[error("`{source_text}` is not a {expected}")]
    Kind {
        /// The expression.
        source_text: String,
        /// `duration` or `count`.
        expected: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// A value with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quantity {
    amount: f64,
    is_span: bool,
}

impl Expr {
    /// Makes the expression that is just this duration.
    pub fn span(duration: Duration) -> Self {
        Self {
            source: format!("{duration:?}"),
            terms: vec![(Sign::Plus, vec![(Operator::Times, Atom::Span(duration))])],
        }
    }

    /// Makes the expression that is just this number.
    pub fn number(number: u32) -> Self {
        Self {
            source: number.to_string(),
            terms: vec![(Sign::Plus, vec![(Operator::Times, Atom::Number(f64::from(number)))])],
        }
    }

    /// Evaluates to a duration; below zero becomes zero.
    pub fn duration(&self, settings: &Settings) -> Result<Duration, ExprError> {
        let value = self.evaluate(settings)?;
        if !value.is_span && value.amount != 0.0 {
            return Err(ExprError::Kind { source_text: self.source.clone(), expected: "duration" });
        }
        // Settings are whole microseconds; rounding takes the noise of the arithmetic away.
        let micros = (value.amount.max(0.0) * 1e6).round();
        Ok(Duration::try_from_secs_f64(micros / 1e6).unwrap_or(Duration::MAX))
    }

    /// Evaluates to a count; below zero becomes zero, fractions are cut.
    pub fn count(&self, settings: &Settings) -> Result<u64, ExprError> {
        let value = self.evaluate(settings)?;
        if value.is_span {
            return Err(ExprError::Kind { source_text: self.source.clone(), expected: "count" });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to zero, and counts are small"
        )]
        Ok(value.amount.max(0.0) as u64)
    }

    /// Returns the names of the settings that the expression uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().flat_map(|(_, factors)| factors).filter_map(|(_, atom)| match atom {
            Atom::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }

    fn evaluate(&self, settings: &Settings) -> Result<Quantity, ExprError> {
        let mut sum = Quantity { amount: 0.0, is_span: false };
        for (sign, factors) in &self.terms {
            let term = product(factors, settings)?;
            sum.is_span |= term.is_span;
            match sign {
                Sign::Plus => sum.amount += term.amount,
                Sign::Minus => sum.amount -= term.amount,
            }
        }
        Ok(sum)
    }
}

fn product(factors: &[(Operator, Atom)], settings: &Settings) -> Result<Quantity, ExprError> {
    let mut result = Quantity { amount: 1.0, is_span: false };
    for (operator, atom) in factors {
        let factor = value_of(atom, settings)?;
        match operator {
            Operator::Times => {
                result.amount *= factor.amount;
                result.is_span |= factor.is_span;
            }
            Operator::Over => {
                result.amount /= factor.amount;
                // A duration over a duration is a count.
                result.is_span &= !factor.is_span;
            }
        }
    }
    Ok(result)
}

fn value_of(atom: &Atom, settings: &Settings) -> Result<Quantity, ExprError> {
    let span = |duration: Duration| Quantity { amount: duration.as_secs_f64(), is_span: true };
    match atom {
        Atom::Number(number) => Ok(Quantity { amount: *number, is_span: false }),
        Atom::Span(duration) => Ok(span(*duration)),
        Atom::Name(name) => match settings.0.get(name) {
            Some(Value::Number(number)) => {
                Ok(Quantity { amount: number.as_f64().unwrap_or_default(), is_span: false })
            }
            Some(Value::String(text)) => parse_span(text)
                .map(span)
                .ok_or_else(|| ExprError::Kind { source_text: name.clone(), expected: "duration" }),
            _ => Err(ExprError::Unknown {
                name: name.clone(),
                nearest: settings.nearest(name).map(ToOwned::to_owned),
            }),
        },
    }
}

fn parse_span(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok().and_then(|signed| Duration::try_from(signed).ok())
}

impl FromStr for Expr {
    type Err = ExprError;

    fn from_str(source: &str) -> Result<Self, ExprError> {
        let wrong = || ExprError::Syntax(source.to_owned());
        let mut terms: Vec<(Sign, Vec<(Operator, Atom)>)> = Vec::new();
        let (mut sign, mut operator, mut expects_atom) = (Sign::Plus, None, true);
        for word in source.split_whitespace() {
            match (word, expects_atom) {
                ("+" | "-", false) => {
                    (sign, operator) = (if word == "+" { Sign::Plus } else { Sign::Minus }, None);
                }
                ("*", false) => operator = Some(Operator::Times),
                ("/", false) => operator = Some(Operator::Over),
                (word, true) => {
                    let atom = atom(word).ok_or_else(wrong)?;
                    match (operator, terms.last_mut()) {
                        (Some(operator), Some((_, factors))) => factors.push((operator, atom)),
                        _ => terms.push((sign, vec![(Operator::Times, atom)])),
                    }
                }
                _ => return Err(wrong()),
            }
            expects_atom = !expects_atom;
        }
        if expects_atom { Err(wrong()) } else { Ok(Self { source: source.to_owned(), terms }) }
    }
}

fn atom(word: &str) -> Option<Atom> {
    if let Ok(number) = word.parse::<f64>() {
        return number.is_finite().then_some(Atom::Number(number));
    }
    if let Some(span) = parse_span(word) {
        return Some(Atom::Span(span));
    }
    let is_name = word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_'));
    is_name.then(|| Atom::Name(word.to_owned()))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExprVisitor)
    }
}

struct ExprVisitor;

impl de::Visitor<'_> for ExprVisitor {
    type Value = Expr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `\"30s\"`, a count, or an expression over settings such as `\"llm.total + 1s\"`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Expr, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Expr, E> {
        u32::try_from(number)
            .map(Expr::number)
            .map_err(|_| E::custom(format!("`{number}` is not a count from 0 to {}", u32::MAX)))
    }
}

impl JsonSchema for Expr {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration (`30s`), a count (`10`), or an expression over settings of the target (`llm.total + 1s`).",
            "type": ["string", "integer"],
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> Settings {
        Settings::flatten(
            &json!({"llm": {"total": "30s", "breaker": {"cooldown": "5m"}}, "limits": {"burst": 10, "period": "1m"}}),
        )
    }

    fn seconds(source: &str) -> f64 {
        source.parse::<Expr>().unwrap().duration(&settings()).unwrap().as_secs_f64()
    }

    #[test]
    fn names_stand_for_the_settings_of_the_target() {
        assert!((seconds("llm.breaker.cooldown + 1s") - 301.0).abs() < 1e-9);
        assert!((seconds("llm.total - 100ms") - 29.9).abs() < 1e-9);
        assert!((seconds("limits.period / limits.burst") - 6.0).abs() < 1e-9);
        assert!((seconds("2 * llm.total + 1s") - 61.0).abs() < 1e-9);
    }

    #[test]
    fn a_count_is_not_a_duration() {
        let ten: Expr = "limits.burst".parse().unwrap();

        assert_eq!(ten.count(&settings()), Ok(10));
        assert!(matches!(ten.duration(&settings()), Err(ExprError::Kind { expected: "duration", .. })));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = "llm.totl".parse::<Expr>().unwrap().duration(&settings()).unwrap_err();

        assert_eq!(error.to_string(), "target has no setting `llm.totl`; did you mean `llm.total`?");
    }

    #[test]
    fn what_is_not_an_expression_is_refused() {
        for wrong in ["", "+", "1s +", "1s 2s", "30 seconds later", "If(x)", "* 2"] {
            assert!(wrong.parse::<Expr>().is_err(), "{wrong}");
        }
    }
}
