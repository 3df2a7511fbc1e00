//! What should have been asked by the end: how often, and by which requests.
//!
//! The library verifies expectations when a mock is dropped, the control API when it is told to; both mean
//! the same by them. Invariant: an expectation that was not met tells what was expected and what arrived.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::{Range, RangeFrom, RangeInclusive, RangeToInclusive},
};

use serde::Deserialize;

use crate::{
    api,
    journal::{Entry, Journal},
};

/// Of the requests that arrived, so many are listed when an expectation was not met.
pub const LISTED_MAX: usize = 50;

/// How many requests of which kind are expected.
/// Only what the journal still holds counts: the last [`EXCHANGES_MAX`](crate::EXCHANGES_MAX) exchanges.
///
/// ```
/// use mock_deepseek::Expectation;
///
/// let expectation = Expectation::requests(1..=3).containing("week").model("deepseek-flash");
/// assert_eq!(
///     expectation.to_string(),
///     "1 to 3 chat requests that contain `week`, for the model `deepseek-flash`"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    requests: Times,
    #[serde(default, rename = "match")]
    kind: Kind,
}

/// How often: a number, or a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawTimes")]
pub struct Times {
    least: usize,
    most: usize,
}

/// Which requests count; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kind {
    /// Without it only chat requests count.
    path: Option<String>,
    contains: Option<String>,
    model: Option<String>,
    user_id: Option<String>,
    header: BTreeMap<String, String>,
    rule: Option<String>,
    /// The id of a fault that reached the wire.
    fault: Option<String>,
}

/// The requests that arrived are not those that were expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mock expected {expected} and got {}{}{}", .got.len(), list("", .got), list("\n  others that arrived:", .others))]
pub struct Unmet {
    /// What was expected, in words.
    pub expected: String,
    /// A line for each request that counts.
    pub got: Vec<String>,
    /// A line for each that does not.
    pub others: Vec<String>,
}

impl Expectation {
    /// Expects so many chat requests: `2`, `1..`, `..=3` or `1..=3`.
    #[must_use]
    pub fn requests(times: impl Into<Times>) -> Self {
        Self { requests: times.into(), kind: Kind::default() }
    }

    /// Counts only requests whose last user message contains this text.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.kind.contains = Some(text.into());
        self
    }

    /// Counts only requests for this model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.kind.model = Some(model.into());
        self
    }

    /// Counts only requests with this `user_id`.
    #[must_use]
    pub fn user_id(mut self, user_id: impl Into<String>) -> Self {
        self.kind.user_id = Some(user_id.into());
        self
    }

    /// Counts requests to this path, whether they are chat requests or not.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.kind.path = Some(path.into());
        self
    }

    /// Counts only requests with this header; the name is compared without case.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.kind.header.insert(name.into(), value.into());
        self
    }

    /// Counts only requests that this rule of the script answered.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.kind.rule = Some(rule.into());
        self
    }

    /// Counts only requests in whose answer this fault reached the wire.
    #[must_use]
    pub fn fault(mut self, id: impl Into<String>) -> Self {
        self.kind.fault = Some(id.into());
        self
    }

    /// Says whether it is a bare number of chat requests.
    pub(crate) fn is_bare(&self) -> bool {
        self.kind == Kind::default()
    }

    /// Compares with what arrived; returns how many requests counted. Requests are looked at one by one, and only as
    /// far as they must be.
    pub(crate) fn verify(&self, journal: &Journal) -> Result<usize, Unmet> {
        let counted: BTreeSet<_> =
            journal.pick(|entry| self.kind.counts(entry).then_some(entry.number)).into_iter().collect();
        if (self.requests.least..=self.requests.most).contains(&counted.len()) {
            return Ok(counted.len());
        }
        let (got, others): (Vec<_>, Vec<_>) = journal
            .pick(|entry| {
                let counts = counted.contains(&entry.number);
                (counts || api::is_chat(&entry.path)).then(|| (counts, line(entry)))
            })
            .into_iter()
            .partition(|(counts, _)| *counts);
        let lines = |told: Vec<(bool, String)>| told.into_iter().map(|(_, line)| line).collect();
        Err(Unmet { expected: self.to_string(), got: lines(got), others: lines(others) })
    }
}

impl Kind {
    fn counts(&self, entry: &Entry) -> bool {
        let path = match &self.path {
            Some(path) => entry.path.split('?').next() == Some(path),
            None => api::is_chat(&entry.path),
        };
        let header = |(name, value): (&String, &String)| {
            let mut headers = entry.headers();
            headers.any(|(key, held)| key.eq_ignore_ascii_case(name) && held == value)
        };
        path && self.rule.as_deref().is_none_or(|rule| entry.rule.as_deref() == Some(rule))
            && self.fault.as_ref().is_none_or(|id| fired(entry, id))
            && self.header.iter().all(header)
            && self.asks(entry)
    }

    /// Checks what only the body tells.
    fn asks(&self, entry: &Entry) -> bool {
        if (&self.contains, &self.model, &self.user_id) == (&None, &None, &None) {
            return true;
        }
        let Some(request) = api::asked(&entry.path, entry.body_bytes()) else { return false };
        self.contains.as_ref().is_none_or(|text| request.last_user_text().contains(text))
            && self.model.as_deref().is_none_or(|model| model == request.base_model())
            && self.user_id.as_ref().is_none_or(|user| request.user_id.as_ref() == Some(user))
    }
}

fn fired(entry: &Entry, id: &str) -> bool {
    entry.faults.iter().any(|fault| fault.fired && fault.id == id)
}

fn line(entry: &Entry) -> String {
    let Entry { number, at, method, path, rule, .. } = entry;
    let model = entry.model().unwrap_or_else(|| "?".to_owned());
    let rule = rule.as_ref().map(|rule| format!(", rule `{rule}`")).unwrap_or_default();
    format!("request {number} at {at}: {method} {path}, model `{model}`{rule}")
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = title.to_owned();
    for line in lines.iter().take(LISTED_MAX) {
        text.push_str("\n  ");
        text.push_str(line);
    }
    match lines.len().saturating_sub(LISTED_MAX) {
        0 => text,
        more => text + &format!("\n  and {more} more"),
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind { path, contains, model, user_id, header, rule, fault } = &self.kind;
        let what = if path.is_some() { "requests" } else { "chat requests" };
        let mut clauses = Vec::new();
        clauses.extend(path.as_ref().map(|path| format!(" to `{path}`")));
        clauses.extend(contains.as_ref().map(|text| format!(" that contain `{text}`")));
        clauses.extend(model.as_ref().map(|model| format!(" for the model `{model}`")));
        clauses.extend(user_id.as_ref().map(|user| format!(" of the user `{user}`")));
        clauses.extend(header.iter().map(|(name, value)| format!(" with the header `{name}: {value}`")));
        clauses.extend(rule.as_ref().map(|rule| format!(" answered by the rule `{rule}`")));
        clauses.extend(fault.as_ref().map(|fault| format!(" in which the fault `{fault}` fired")));
        write!(f, "{} {what}{}", self.requests, clauses.join(","))
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, usize::MAX) => write!(f, "{least} or more"),
            (0, most) => write!(f, "at most {most}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl From<usize> for Times {
    fn from(times: usize) -> Self {
        Self { least: times, most: times }
    }
}

impl From<RangeFrom<usize>> for Times {
    fn from(range: RangeFrom<usize>) -> Self {
        Self { least: range.start, most: usize::MAX }
    }
}

impl From<RangeInclusive<usize>> for Times {
    fn from(range: RangeInclusive<usize>) -> Self {
        Self { least: *range.start(), most: *range.end() }
    }
}

impl From<RangeToInclusive<usize>> for Times {
    fn from(range: RangeToInclusive<usize>) -> Self {
        Self { least: 0, most: range.end }
    }
}

impl From<Range<usize>> for Times {
    fn from(range: Range<usize>) -> Self {
        Self { least: range.start, most: range.end.saturating_sub(1) }
    }
}

/// A number of requests as JSON writes it.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`requests` is a number, or `{ \"at_least\": 1, \"at_most\": 3 }`")]
enum RawTimes {
    Exactly(usize),
    Between(Between),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    at_least: Option<usize>,
    at_most: Option<usize>,
}

impl TryFrom<RawTimes> for Times {
    type Error = String;

    fn try_from(raw: RawTimes) -> Result<Self, String> {
        let (least, most) = match raw {
            RawTimes::Exactly(times) => (times, times),
            RawTimes::Between(Between { at_least, at_most }) => {
                (at_least.unwrap_or(0), at_most.unwrap_or(usize::MAX))
            }
        };
        if least > most {
            return Err(format!("no number is at least {least} and at most {most}"));
        }
        Ok(Self { least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_read_well() {
        let told = |times: Times| Expectation { requests: times, kind: Kind::default() }.to_string();

        assert_eq!(told(2.into()), "2 chat requests");
        assert_eq!(told((1..).into()), "1 or more chat requests");
        assert_eq!(told((..=3).into()), "at most 3 chat requests");
        assert_eq!(told((1..3).into()), "1 to 2 chat requests");
    }

    #[test]
    fn the_control_api_says_it_in_json_m11() {
        let json = r#"{"requests":{"at_least":1},"match":{"contains":"week","fault":"stall"}}"#;

        let expectation: Expectation = serde_json::from_str(json).unwrap();

        assert_eq!(expectation, Expectation::requests(1..).containing("week").fault("stall"));
    }

    #[test]
    fn an_impossible_range_and_an_unknown_key_are_refused() {
        let error = |json: &str| serde_json::from_str::<Expectation>(json).unwrap_err().to_string();

        assert!(error(r#"{"requests":{"at_least":2,"at_most":1}}"#).contains("at least 2 and at most 1"));
        assert!(error(r#"{"requests":1,"match":{"modle":"x"}}"#).contains("unknown field `modle`"));
    }
}
