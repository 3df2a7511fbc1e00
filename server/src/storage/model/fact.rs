//! What is known about a user, with its versions.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::UserId;

/// How many valid facts a user may have: far beyond what a person tells, and a prompt's worth of them.
pub const FACTS_MAX: u32 = 200;

/// How many values of a fact are listed; all are kept.
pub const HISTORY_MAX: u32 = 10_000;

/// Where a fact comes from; a higher rank wins over a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactSource {
    /// Found in what the user said in chat.
    Extracted,
    /// Written by the user through the API.
    UserEdit,
}

/// Something known about a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Whose it is.
    pub user: UserId,
    /// What it is about, `[a-z][a-z0-9_]*`, at most 100 characters.
    pub key: String,
    /// The value, as text.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it comes from.
    pub source: FactSource,
    /// Counts up by one with each write, from 1.
    pub version: i64,
    /// When this value was written.
    pub updated_at: Timestamp,
    /// When it ceases to hold by itself, if ever.
    pub expires_at: Option<Timestamp>,
}

/// What a writer believes to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing, or something expired.
    Absent,
    /// This version.
    Version(i64),
}

/// A fact to be written.
#[derive(Clone, Debug)]
pub struct FactWrite {
    /// Whose it is.
    pub user: UserId,
    /// What it is about.
    pub key: String,
    /// The new value.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it comes from.
    pub source: FactSource,
    /// When it is written.
    pub at: Timestamp,
    /// When it ceases to hold by itself, if ever.
    pub expires_at: Option<Timestamp>,
    /// What the writer believes to be stored.
    pub expected: Expected,
}

/// A fact that is to hold no longer. Its row and its history stay.
#[derive(Clone, Debug)]
pub struct FactClosing {
    /// Whose it is.
    pub user: UserId,
    /// What it is about.
    pub key: String,
    /// The version that is closed.
    pub version: i64,
    /// Who closes it.
    pub source: FactSource,
    /// When.
    pub at: Timestamp,
}

/// What became of a [`FactWrite`] or a [`FactClosing`].
#[derive(Clone, Debug, PartialEq)]
pub enum FactOutcome {
    /// It is stored; a closed fact holds no longer from the time of its writing on.
    Written(Fact),
    /// Something else is stored (or nothing, though a version was expected); nothing has changed.
    Conflict(Option<Fact>),
}

/// A value that a fact once had.
#[derive(Clone, Debug, PartialEq)]
pub struct FactRevision {
    /// The version that this write made.
    pub version: i64,
    /// The value.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it came from.
    pub source: FactSource,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the fact was closed with it: its value held until then.
    pub is_end: bool,
}
