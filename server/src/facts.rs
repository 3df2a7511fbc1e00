//! What is known about a user: how long it holds, what replaces what, and how it is written.
//!
//! A statement replaces a stored fact by the rank of its source, then by time, then by confidence; so a
//! later statement wins over an earlier one of the same kind, whatever the confidence, and what the user
//! wrote by hand is not overwritten by what was found in chat. Nothing is merged with an expired fact.
//!
//! `pregnancy_week` is an anchor: the row holds the week that was stated, and its time of writing says
//! when. The week of today is computed at reading ([`shown`]); nothing has to be updated week by week.
//!
//! Invariant: an acknowledged write has a version and a history row of its own; nothing is ever
//! overwritten unseen.

mod pen;

use std::time::Duration;

use jiff::Timestamp;

pub use pen::Pen;

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
    /// Passes by itself, such as a symptom.
    Transient,
    /// Changes now and then.
    Preference,
    /// Moves with the calendar.
    Anchor,
    /// Never to be forgotten, such as an allergy.
    Critical,
}

/// Returns the class of a key. An unknown key is a preference.
pub fn life(key: &str) -> Life {
    match key {
        "current_symptom" | "mood" | "sleep" => Life::Transient,
        "pregnancy_week" | "due_date" => Life::Anchor,
        "allergies" | "blood_type" | "conditions" | "medication" => Life::Critical,
        _ => Life::Preference,
    }
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
pub fn shown(fact: &Fact, now: Timestamp) -> String {
    if fact.key != "pregnancy_week" {
        return fact.value.clone();
    }
    let Ok(stated) = fact.value.trim().parse::<u64>() else {
        return fact.value.clone();
    };
    let since = Duration::try_from(now.duration_since(fact.updated_at)).unwrap_or_default();
    let weeks = since.as_secs() / WEEK.as_secs();
    stated.saturating_add(weeks).min(WEEK_MAX.max(stated)).to_string()
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

    /// A week that is right by the calendar must not move the anchor.
    fn repeats(&self, stored: &Fact) -> bool {
        self.source == FactSource::Extracted
            && life(&self.key) == Life::Anchor
            && stored.source == self.source
            && shown(stored, self.at) == self.value
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
