//! Facts as a weakened storage reads and writes them.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use clock::Timestamp;
use server::{
    ids::UserId,
    storage::{Expected, Fact, FactClosing, FactOutcome, FactSource, FactWrite, Stored},
};

use super::{Twist, WatchedStorage};

/// Spreads the weakened reads without a rhythm, so that no one of several readers is left out (Knuth's multiplier).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// A late copy is so many versions behind: more than there are writers, so that a newer one was acknowledged before.
const VERSIONS_LATE: usize = 100;

/// What a weakened storage keeps beside the database.
#[derive(Debug, Default)]
pub(super) struct Memory {
    reads: AtomicU64,
    /// What was written last under each key.
    last: Mutex<HashMap<String, Fact>>,
    /// What was read first of each user.
    first: Mutex<HashMap<UserId, Vec<Fact>>>,
}

fn held<T>(memory: &Mutex<T>) -> MutexGuard<'_, T> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WatchedStorage {
    pub(super) async fn write_twisted(&self, write: FactWrite) -> Stored<FactOutcome> {
        match self.twist {
            Twist::LastWriterWins => self.overwrite(write).await,
            Twist::FirstValueWins => self.keep_first(write).await,
            Twist::RenewalForgotten => self.keep_life(write).await,
            Twist::AckWithoutStoring => self.drop_some(write).await,
            Twist::AnybodysFact => {
                let outcome = self.inner.write_fact(write).await?;
                if let FactOutcome::Written(fact) = &outcome {
                    held(&self.memory.last).insert(fact.key.clone(), fact.clone());
                }
                Ok(outcome)
            }
            _ => self.inner.write_fact(write).await,
        }
    }

    pub(super) async fn read_facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        let facts = self.inner.facts(user, at).await?;
        match self.twist {
            Twist::WeekStandsStill => {
                Ok(facts.into_iter().map(|fact| Fact { updated_at: at, ..fact }).collect())
            }
            Twist::FrozenFacts => Ok(held(&self.memory.first).entry(user).or_insert(facts).clone()),
            _ => Ok(facts),
        }
    }

    pub(super) async fn read_fact(&self, (user, key): (UserId, &str), at: Timestamp) -> Stored<Option<Fact>> {
        let fact = self.inner.fact(user, key, at).await?;
        let number = self.memory.reads.fetch_add(1, Ordering::Relaxed) + 1;
        let is_struck = number.wrapping_mul(SPREAD) >> 62 == 0;
        match (self.twist, fact) {
            (Twist::RankForgotten, Some(fact)) => Ok(Some(Fact { source: FactSource::Extracted, ..fact })),
            (Twist::WeekStandsStill, Some(fact)) => Ok(Some(Fact { updated_at: at, ..fact })),
            (Twist::StaleReads, Some(fact)) if is_struck => self.version_before(fact).await.map(Some),
            (Twist::GoneNowAndThen, _) if is_struck => Ok(None),
            (Twist::NeighboursFact, Some(fact)) => {
                let other = self.inner.facts(user, at).await?.into_iter().find(|other| other.key != key);
                Ok(Some(other.map_or(fact.clone(), |other| Fact { value: other.value, ..fact })))
            }
            (Twist::AnybodysFact, Some(fact)) => {
                Ok(Some(held(&self.memory.last).get(key).cloned().unwrap_or(fact)))
            }
            (_, fact) => Ok(fact),
        }
    }

    async fn version_before(&self, fact: Fact) -> Stored<Fact> {
        let history = self.inner.fact_history(fact.user, &fact.key).await?;
        let late = (fact.version - i64::try_from(VERSIONS_LATE).unwrap_or(i64::MAX)).max(1);
        let before =
            history.into_iter().find(|revision| revision.version >= late && revision.version < fact.version);
        Ok(match before {
            Some(before) => Fact { value: before.value, version: before.version, ..fact },
            None => fact,
        })
    }

    /// Writes on top of whatever is there.
    async fn overwrite(&self, mut write: FactWrite) -> Stored<FactOutcome> {
        loop {
            match self.inner.write_fact(write.clone()).await? {
                FactOutcome::Conflict(Some(current)) => write.expected = Expected::Version(current.version),
                FactOutcome::Conflict(None) => write.expected = Expected::Absent,
                written @ FactOutcome::Written(_) => return Ok(written),
            }
        }
    }

    /// Says of every hundredth value that it is stored, and forgets it.
    async fn drop_some(&self, write: FactWrite) -> Stored<FactOutcome> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        match self.inner.fact(write.user, &write.key, write.at).await? {
            Some(fact) if number.is_multiple_of(100) && write.expected == Expected::Version(fact.version) => {
                Ok(FactOutcome::Written(Fact { value: write.value, version: fact.version + 1, ..fact }))
            }
            _ => self.inner.write_fact(write).await,
        }
    }

    /// Writes the value with the life of the one that is there.
    async fn keep_life(&self, write: FactWrite) -> Stored<FactOutcome> {
        let stored = self.inner.fact(write.user, &write.key, write.at).await?;
        let expires_at = stored.map_or(write.expires_at, |stored| stored.expires_at);
        self.inner.write_fact(FactWrite { expires_at, ..write }).await
    }

    /// Says that the fact is gone, and leaves it.
    pub(super) async fn close_twisted(&self, closing: FactClosing) -> Stored<FactOutcome> {
        let (user, key, at) = (closing.user, closing.key.clone(), closing.at);
        match (self.twist, self.inner.fact(user, &key, at).await?) {
            (Twist::DeletionForgotten, Some(fact)) => Ok(FactOutcome::Written(fact)),
            _ => self.inner.close_fact(closing).await,
        }
    }

    /// Says that the value is stored, and keeps the one that is there.
    async fn keep_first(&self, write: FactWrite) -> Stored<FactOutcome> {
        match self.inner.fact(write.user, &write.key, write.at).await? {
            Some(first) => Ok(FactOutcome::Written(first)),
            None => self.inner.write_fact(write).await,
        }
    }
}
