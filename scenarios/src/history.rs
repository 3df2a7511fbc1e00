//! Histories of concurrent operations, and what must hold of them.
//!
//! A verdict rests on what was acknowledged, on what was read and on what is stored, never on the final value alone.
//! Where every value is written once in its life (Jepsen's set accounting), each check is linear in time; for other
//! histories an order is searched for, within a bound. An error is the smallest proof: two to four operations and their
//! times.

mod decided;
mod list;
mod register;
mod search;
mod stored;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use decided::{Choice, Decision, SuggestionHistory, Told, decided_once};
pub use stored::{no_lost_update, serial_history};

use crate::model::Writing;

/// A moment of a history: its place in the order of all calls and answers. Times alone do not order what happens at one
/// instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The place, from 1; 0 is before everything.
    pub place: u64,
    /// The time since the history began.
    pub at: Duration,
}

impl Moment {
    /// Later than everything.
    const NEVER: Self = Self { place: u64::MAX, at: Duration::MAX };
}

/// The time of an operation, from its call to its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// When it was called.
    pub from: Moment,
    /// When its answer came, or was no longer waited for.
    pub to: Moment,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "#{} to #{}, {} to {} ms", from.place, to.place, from.at.as_millis(), to.at.as_millis())
    }
}

/// Why a history is not sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// In words.
    pub told: String,
    /// The operations that prove it: when each was called, and what it was.
    pub operations: Vec<(Moment, String)>,
}

impl Proof {
    fn new(told: impl Into<String>, operations: impl IntoIterator<Item = (Moment, String)>) -> Self {
        Self { told: told.into(), operations: operations.into_iter().collect() }
    }
}

impl From<String> for Proof {
    fn from(told: String) -> Self {
        Self::new(told, [])
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// Why a history is not taken for one whose operations happened one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// They cannot have.
    Proved(Proof),
    /// It would take too long to find out: why, in words.
    Undecided(String),
}

impl From<Proof> for Doubt {
    fn from(proof: Proof) -> Self {
        Self::Proved(proof)
    }
}

/// One write and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Operation {
    /// Who wrote it; one writer writes one thing after the other.
    pub writer: String,
    /// The value or word, unique in the run.
    pub value: String,
    /// What is known of it.
    pub outcome: Outcome,
    /// When.
    pub span: Span,
}

impl Operation {
    fn shown(&self) -> (Moment, String) {
        (self.span.from, format!("writer {} wrote `{}` ({})", self.writer, self.value, self.span))
    }
}

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server said that it is stored, under this version.
    Acknowledged(i64),
    /// The server said that it is not.
    Refused,
    /// Nobody knows: no answer came. It may have happened.
    Unknown,
}

/// One read that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Read {
    /// Who read; one reader reads one time after the other.
    pub reader: String,
    /// What was there, if anything.
    pub value: Option<String>,
    /// When.
    pub span: Span,
}

impl Read {
    fn shown(&self) -> (Moment, String) {
        let value = self.value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
        (self.span.from, format!("reader {} read {value} ({})", self.reader, self.span))
    }
}

/// A revision as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// Its number.
    pub version: i64,
    /// Its value.
    pub value: String,
}

/// A record of concurrent operations on one fact.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FactHistory {
    /// Whose fact.
    pub user: String,
    /// The fact's key.
    pub key: String,
    /// How it was written.
    pub how: Writing,
    /// The value before the first operation.
    pub before: Option<String>,
    /// All writes.
    pub operations: Vec<Operation>,
    /// All reads, the last one after everything else.
    pub reads: Vec<Read>,
    /// What the server says was ever stored, oldest first.
    pub revisions: Vec<Revision>,
    /// The final value.
    pub last: String,
    /// Values that belong elsewhere, and where.
    pub elsewhere: BTreeMap<String, String>,
}

impl FactHistory {
    /// Begins an empty history.
    pub fn new(user: impl Into<String>, key: impl Into<String>, how: Writing) -> Self {
        Self {
            user: user.into(),
            key: key.into(),
            how,
            before: None,
            operations: Vec::new(),
            reads: Vec::new(),
            revisions: Vec::new(),
            last: String::new(),
            elsewhere: BTreeMap::new(),
        }
    }

    /// Returns how many writes were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.operations.iter().filter(|op| matches!(op.outcome, Outcome::Acknowledged(_))).count()
    }

    /// Returns whether no two writes, and none and what was there before, are of the same value or word.
    fn is_written_once(&self) -> bool {
        let before = self.before.as_deref();
        let mut values: BTreeSet<&str> = match self.how {
            Writing::Replace => before.into_iter().collect(),
            Writing::Append => before.into_iter().flat_map(str::split_whitespace).collect(),
        };
        self.operations.iter().all(|write| values.insert(&write.value))
    }

    /// Tells whose a value is that nobody wrote here.
    fn whence(&self, value: &str) -> String {
        self.elsewhere.get(value).map_or_else(
            || "nobody wrote it: phantom".to_owned(),
            |place| format!("it belongs to {place}: leak"),
        )
    }
}

/// Checks that reads and writes could have happened one after the other, each at some moment between its call and its
/// answer: no read is stale, goes back, or brings what was never written. Of a fact that is appended to, no word that
/// was acknowledged or read is gone later, and all readers see the words in one order, which is that of time.
pub fn linearizable(history: &FactHistory) -> Result<(), Doubt> {
    match history.how {
        _ if !history.is_written_once() => search::check(history),
        Writing::Replace => Ok(register::check(history)?),
        Writing::Append => Ok(list::check(history)?),
    }
}

#[cfg(test)]
mod tests;
