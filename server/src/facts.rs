//! What is known about a user: how long it holds, what replaces what, and how it is written.
//!
//! A statement replaces a stored fact by the rank of its source, then by time, then by confidence; so a
//! later statement wins over an earlier one of the same kind, whatever the confidence, and what the user
//! wrote by hand is not overwritten by what was found in chat. Nothing is merged with an expired fact.
//!
//! `pregnancy_week` is an anchor: the row holds the week that was stated, and its time of writing says
//! when. The week of today is computed at reading ([`shown`]); nothing has to be updated week by week. Past
//! the last week nobody knows any more: the user is asked ([`is_overdue`]).
//!
//! What happens once ends other facts, whatever their source: a birth ends the week ([`KEYS`]).
//!
//! Invariant: an acknowledged write has a version and a history row of its own; nothing is ever
//! overwritten unseen.

mod pen;
mod purge;

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;

pub use pen::Pen;
pub(crate) use purge::purge;

use crate::{
    config,
    ids::UserId,
    storage::{Expected, Fact, FactSource, FactWrite},
};

/// The last week that is counted; pregnancies do not last longer.
const WEEK_MAX: u64 = 42;
const WEEK: Duration = Duration::from_hours(7 * 24);

/// The classes of keys, by how long a fact holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Passes by itself, such as a symptom: `conversation.transient_life`.
    Transient,
    /// Changes now and then: `conversation.preference_life`.
    Preference,
    /// Moves with the calendar, until something ends it.
    Anchor,
    /// Never to be forgotten, such as an allergy, until its user says otherwise.
    Critical,
}

impl Life {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Transient, Self::Preference, Self::Anchor, Self::Critical];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Preference => "preference",
            Self::Anchor => "anchor",
            Self::Critical => "critical",
        }
    }
}

/// A key that is known by name.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// How long its facts hold.
    pub life: Life,
    /// The keys whose facts end when one of this key is stated.
    pub ends: &'static [&'static str],
}

/// The keys that are known by name. Every other key is a preference that ends nothing.
pub const KEYS: [Key; 10] = [
    Key { name: "pregnancy_week", life: Life::Anchor, ends: &["postpartum"] },
    Key { name: "due_date", life: Life::Anchor, ends: &[] },
    Key { name: "postpartum", life: Life::Anchor, ends: &["pregnancy_week", "due_date"] },
    Key { name: "current_symptom", life: Life::Transient, ends: &[] },
    Key { name: "mood", life: Life::Transient, ends: &[] },
    Key { name: "sleep", life: Life::Transient, ends: &[] },
    Key { name: "allergies", life: Life::Critical, ends: &[] },
    Key { name: "blood_type", life: Life::Critical, ends: &[] },
    Key { name: "conditions", life: Life::Critical, ends: &[] },
    Key { name: "medication", life: Life::Critical, ends: &[] },
];

/// Returns the class of a key. An unknown key is a preference.
pub fn life(key: &str) -> Life {
    KEYS.iter().find(|known| known.name == key).map_or(Life::Preference, |known| known.life)
}

/// Returns the keys whose facts a statement about this key ends.
pub fn ends(key: &str) -> &'static [&'static str] {
    KEYS.iter().find(|known| known.name == key).map_or(&[], |known| known.ends)
}

/// Returns when a fact that is stated at `at` ceases to hold by itself, if ever.
pub fn expiry(key: &str, at: Timestamp, settings: &config::Conversation) -> Option<Timestamp> {
    let life = match life(key) {
        Life::Transient => settings.transient_life,
        Life::Preference => settings.preference_life,
        Life::Anchor | Life::Critical => return None,
    };
    Some(at.saturating_add(life).unwrap_or(Timestamp::MAX))
}

/// Returns the value that holds at `now`: the week has moved on, everything else is as it was stated.
pub fn shown(fact: &Fact, now: Timestamp) -> Cow<'_, str> {
    match week(fact, now) {
        Some((stated, week)) => week.min(WEEK_MAX.max(stated)).to_string().into(),
        None => fact.value.as_str().into(),
    }
}

/// Returns whether the calendar has run past what a pregnancy lasts: the child must have been born, and its
/// user has to be asked.
pub fn is_overdue(fact: &Fact, now: Timestamp) -> bool {
    week(fact, now).is_some_and(|(_, week)| week > WEEK_MAX)
}

/// Returns the stated week and the one that the calendar has come to.
fn week(fact: &Fact, now: Timestamp) -> Option<(u64, u64)> {
    let week = (fact.key == "pregnancy_week").then(|| fact.value.trim());
    let stated = week?.parse::<u64>().ok()?;
    let since = Duration::try_from(now.duration_since(fact.updated_at)).unwrap_or_default();
    Some((stated, stated.saturating_add(since.as_secs() / WEEK.as_secs())))
}

/// Something said about a user.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// About whom.
    pub user: UserId,
    /// What it is about.
    pub key: String,
    /// The value.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Where it comes from.
    pub source: FactSource,
    /// When it was said.
    pub at: Timestamp,
}

impl Statement {
    /// Returns the row that this statement makes.
    pub fn write(&self, expected: Expected, settings: &config::Conversation) -> FactWrite {
        FactWrite {
            user: self.user,
            key: self.key.clone(),
            value: self.value.clone(),
            confidence: self.confidence,
            source: self.source,
            at: self.at,
            expires_at: expiry(&self.key, self.at, settings),
            expected,
        }
    }

    /// Returns whether this statement takes the place of a fact that is valid now.
    pub fn supersedes(&self, stored: &Fact) -> bool {
        let rank = (self.source, self.at).cmp_rank(&(stored.source, stored.updated_at));
        match rank {
            std::cmp::Ordering::Greater => !self.repeats(stored),
            std::cmp::Ordering::Equal => self.confidence >= stored.confidence,
            std::cmp::Ordering::Less => false,
        }
    }

    /// A week that is right by the calendar must not move the anchor, and a child is born once.
    fn repeats(&self, stored: &Fact) -> bool {
        self.source == FactSource::Extracted
            && life(&self.key) == Life::Anchor
            && stored.source == self.source
            && (self.key == "postpartum" || shown(stored, self.at) == self.value)
    }
}

trait Rank {
    fn cmp_rank(&self, other: &Self) -> std::cmp::Ordering;
}

impl Rank for (FactSource, Timestamp) {
    fn cmp_rank(&self, other: &Self) -> std::cmp::Ordering {
        let source = self.0.partial_cmp(&other.0).unwrap_or(std::cmp::Ordering::Equal);
        source.then(self.1.cmp(&other.1))
    }
}

/// A fact that its user wants forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting<'a> {
    /// Whose it is.
    pub user: UserId,
    /// What it is about.
    pub key: &'a str,
    /// The version that is to be closed; without one whichever is stored.
    pub version: Option<i64>,
}

/// What became of a wish to forget.
#[derive(Clone, Debug, PartialEq)]
pub enum Forgotten {
    /// It holds no longer.
    Closed(Fact),
    /// Nothing is stored.
    Absent,
    /// Another version than the expected one is stored; nothing has changed.
    Conflict(Fact),
    /// Others were faster each time, or the store was too slow, until the deadline.
    Contended,
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is stored.
    Written(Fact),
    /// What is stored has the higher rank and stays.
    Kept(Fact),
    /// Others were faster each time, or the store was too slow, until the deadline. Not acknowledged: only
    /// a store that was too slow may have written it all the same.
    Contended,
}

#[cfg(test)]
mod tests;
