//! Writes facts so that nothing that was acknowledged is lost.
//!
//! Across processes a write is optimistic: it names the version that it has read, and begins again when
//! somebody was faster. Within a process the writers of one user stand in line, because racing each
//! other would cost a try for every one of them and change nothing about the result. Whoever has written leaves
//! word of it to the next in line, who need not read it again: a word that is out of date meets a conflict like any other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use clock::{SharedClock, timeout};
use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::{Forgetting, Forgotten, Outcome, Statement, ends};
use crate::{
    config::Config,
    ids::UserId,
    storage::{Expected, Fact, FactClosing, FactOutcome, FactSource, SharedStorage, Stored},
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
    lines: Arc<Mutex<HashMap<UserId, Weak<Line>>>>,
}

/// Where the writers of one user stand, and what the last of them has left there. It is forgotten when nobody stands.
type Line = tokio::sync::Mutex<Option<Fact>>;

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
        let mut first_in_line = self.stand_in_line(statement.user).await;
        let word = first_in_line.take();
        let mut stored = match word.filter(|word| self.is_enough(word, &statement)) {
            None => self.storage.fact(statement.user, &statement.key, self.clock.wall()).await?,
            word => word,
        };
        for _ in 0..TRIES_MAX {
            if statement.source == FactSource::UserEdit {
                let now = self.clock.wall();
                statement.at = stored.as_ref().map_or(now, |fact| now.max(fact.updated_at));
            }
            if let Some(fact) = stored.take_if(|fact| !statement.supersedes(fact)) {
                if statement.repeats(&fact) {
                    // Whoever said it first may not have lived to end what it ends.
                    self.end_all(&statement).await?;
                }
                return Ok(Outcome::Kept(fact));
            }
            let expected = stored.as_ref().map_or(Expected::Absent, |fact| Expected::Version(fact.version));
            match self.write_over(&statement, expected).await? {
                FactOutcome::Written(fact) => {
                    *first_in_line = Some(fact.clone());
                    return Ok(Outcome::Written(fact));
                }
                FactOutcome::Conflict(found) => {
                    metrics::counter!("facts_conflicts_total").increment(1);
                    let now = self.clock.wall();
                    let (holds, over) = found.map_or((None, None), |fact| split(fact, now));
                    match over {
                        // It was closed after this was said.
                        Some(fact)
                            if fact.updated_at > statement.at
                                && statement.source == FactSource::Extracted =>
                        {
                            return Ok(Outcome::Kept(fact));
                        }
                        // It has ceased to hold since this was said.
                        Some(_) => statement.at = now,
                        None => {}
                    }
                    stored = holds;
                }
            }
        }
        Ok(Outcome::Contended)
    }

    /// Returns whether the word of the one before will do. It may be out of date, so that it is only for who writes over
    /// whatever is stored and names its version, and not for who gives way to it.
    fn is_enough(&self, word: &Fact, statement: &Statement) -> bool {
        let is_of_it = word.key == statement.key && statement.source == FactSource::UserEdit;
        is_of_it && split(word.clone(), self.clock.wall()).0.is_some()
    }

    /// Writes a statement over just the expected version, once, and ends what it ends.
    pub async fn write_over(&self, statement: &Statement, expected: Expected) -> Stored<FactOutcome> {
        let write = statement.write(expected, &self.config.conversation);
        let outcome = self.storage.write_fact(write).await?;
        if matches!(outcome, FactOutcome::Written(_)) {
            self.end_all(statement).await?;
        }
        Ok(outcome)
    }

    /// Ends all that does not outlive a statement.
    async fn end_all(&self, by: &Statement) -> Stored<()> {
        for key in ends(&by.key) {
            self.end(by, key).await?;
        }
        Ok(())
    }

    /// Ends a fact that does not outlive a statement, unless it was stated later.
    async fn end(&self, by: &Statement, key: &str) -> Stored<()> {
        for _ in 0..TRIES_MAX {
            let stored = self.storage.fact(by.user, key, self.clock.wall()).await?;
            let yields = |fact: &Fact| {
                // A birth is an event and no rival; anything else that was heard gives way to what was written by hand.
                fact.updated_at <= by.at && (by.key == "postpartum" || by.source >= fact.source)
            };
            let Some(fact) = stored.filter(yields) else { return Ok(()) };
            if self.close(fact, by.source, by.at).await?.is_some() {
                tracing::info!(key, by = by.key, "fact ended");
                return Ok(());
            }
        }
        Ok(())
    }

    /// Closes a fact at its user's wish. Its history stays, and a later statement begins anew.
    ///
    /// Ends as contended like [`write`](Self::write). Cancellation: it may be closed or not.
    pub async fn forget(&self, wish: Forgetting<'_>) -> Stored<Forgotten> {
        let limit = self.config.conversation.fact_write_deadline;
        let forgotten = timeout(&*self.clock, limit, self.forget_in_line(wish)).await;
        forgotten.unwrap_or(Ok(Forgotten::Contended))
    }

    async fn forget_in_line(&self, wish: Forgetting<'_>) -> Stored<Forgotten> {
        let mut first_in_line = self.stand_in_line(wish.user).await;
        *first_in_line = None;
        for _ in 0..TRIES_MAX {
            let now = self.clock.wall();
            let Some(fact) = self.storage.fact(wish.user, wish.key, now).await? else {
                return Ok(Forgotten::Absent);
            };
            if wish.version.is_some_and(|version| version != fact.version) {
                return Ok(Forgotten::Conflict(fact));
            }
            let at = now.max(fact.updated_at);
            if let Some(closed) = self.close(fact, FactSource::UserEdit, at).await? {
                return Ok(Forgotten::Closed(closed));
            }
        }
        Ok(Forgotten::Contended)
    }

    /// Closes just this version; `None` when somebody was faster.
    async fn close(&self, fact: Fact, source: FactSource, at: Timestamp) -> Stored<Option<Fact>> {
        let Fact { user, key, version, .. } = fact;
        match self.storage.close_fact(FactClosing { user, key, version, source, at }).await? {
            FactOutcome::Written(closed) => Ok(Some(closed)),
            FactOutcome::Conflict(_) => {
                metrics::counter!("facts_conflicts_total").increment(1);
                Ok(None)
            }
        }
    }

    async fn stand_in_line(&self, user: UserId) -> OwnedMutexGuard<Option<Fact>> {
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

    fn lines(&self) -> MutexGuard<'_, HashMap<UserId, Weak<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the fact as one that holds at `now`, or as one that holds no longer.
fn split(fact: Fact, now: Timestamp) -> (Option<Fact>, Option<Fact>) {
    if fact.expires_at.is_none_or(|end| end > now) { (Some(fact), None) } else { (None, Some(fact)) }
}
