//! Writes facts so that nothing that was acknowledged is lost.
//!
//! Across processes a write is optimistic: it names the version that it has read, and begins again when
//! somebody was faster. Within a process the writers of one user stand in line, because racing each
//! other would cost a try for every one of them and change nothing about the result.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use clock::{SharedClock, timeout};
use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::{Outcome, Statement};
use crate::{
    config::Config,
    ids::UserId,
    storage::{Expected, FactOutcome, FactSource, SharedStorage, Stored},
};

/// Tries of one write; each lost race means that somebody else's write succeeded.
const TRIES_MAX: u32 = 512;

/// Lines of writers that are kept before those in which nobody stands are cleared away.
const LINES_KEPT: usize = 1024;

/// Writes facts. `Clone` shares the lines of writers.
#[derive(Clone, Debug)]
pub struct Pen {
    storage: SharedStorage,
    clock: SharedClock,
    config: Arc<Config>,
    lines: Arc<Mutex<HashMap<UserId, Weak<tokio::sync::Mutex<()>>>>>,
}

impl Pen {
    /// Makes a pen that writes to `storage`, by the lives and limits of `config`.
    pub fn new(storage: SharedStorage, clock: SharedClock, config: Arc<Config>) -> Self {
        Self { storage, clock, config, lines: Arc::default() }
    }

    /// Returns the time at which a statement made now is made.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Writes a statement over whatever has the lower rank.
    ///
    /// Ends as contended at `fact_write_deadline`, standing in line and a slow store included, or after a
    /// fixed number of lost races. An edit by the user takes the time of the try that succeeds, so that
    /// edits never lose against each other by the clock.
    /// Cancellation: what was not acknowledged may or may not be stored.
    pub async fn write(&self, statement: Statement) -> Stored<Outcome> {
        let limit = self.config.conversation.fact_write_deadline;
        let written = timeout(&*self.clock, limit, self.write_in_line(statement)).await;
        written.unwrap_or(Ok(Outcome::Contended))
    }

    async fn write_in_line(&self, mut statement: Statement) -> Stored<Outcome> {
        let _first_in_line = self.stand_in_line(statement.user).await;
        let mut stored = self.storage.fact(statement.user, &statement.key, self.clock.wall()).await?;
        for _ in 0..TRIES_MAX {
            if statement.source == FactSource::UserEdit {
                let now = self.clock.wall();
                statement.at = stored.as_ref().map_or(now, |fact| now.max(fact.updated_at));
            }
            if let Some(fact) = stored.take_if(|fact| !statement.supersedes(fact)) {
                return Ok(Outcome::Kept(fact));
            }
            let expected = stored.as_ref().map_or(Expected::Absent, |fact| Expected::Version(fact.version));
            match self.write_over(&statement, expected).await? {
                FactOutcome::Written(fact) => return Ok(Outcome::Written(fact)),
                FactOutcome::Conflict(found) => {
                    metrics::counter!("facts_conflicts_total").increment(1);
                    let now = self.clock.wall();
                    stored = found.filter(|fact| fact.expires_at.is_none_or(|end| end > now));
                }
            }
        }
        Ok(Outcome::Contended)
    }

    /// Writes a statement over just the expected version, once.
    pub async fn write_over(&self, statement: &Statement, expected: Expected) -> Stored<FactOutcome> {
        self.storage.write_fact(statement.write(expected, &self.config.conversation)).await
    }

    async fn stand_in_line(&self, user: UserId) -> OwnedMutexGuard<()> {
        let line = {
            let mut lines = self.lines();
            if lines.len() >= LINES_KEPT {
                lines.retain(|_, line| line.strong_count() > 0);
            }
            let kept = lines.get(&user).and_then(Weak::upgrade);
            let line = kept.unwrap_or_default();
            lines.insert(user, Arc::downgrade(&line));
            line
        };
        // tokio's lock is fair: first come, first served.
        line.lock_owned().await
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<UserId, Weak<tokio::sync::Mutex<()>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
