//! The audit log: who did what, when, to whose data, and how it ended (F107).
//!
//! Kept are writes, log-ins that went well or not, what administrators do, blocks, refresh tokens used twice, and
//! entries that a standing wish made unasked.
//! Rows hold ids, routes and outcomes; no text of a user, no address of a mail, no token. They are added after the
//! deed and outside its transaction: what a store that is down could not take is counted in `audit_lost_total`.
//! Whoever comes while a row is being stored waits, and is stored together with all others who do.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clock::SharedClock;

use crate::{
    ids::UserId,
    parts::Parts,
    storage::{Actor, AuditEntry, SharedStorage},
};

/// Longest target that is kept, in characters.
const TARGET_MAX: usize = 200;

/// Most rows of one transaction.
const BATCH_MAX: usize = 500;

/// Adds to the log. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Audit {
    storage: SharedStorage,
    clock: SharedClock,
    waiting: Arc<Mutex<Vec<AuditEntry>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Rows that are being stored. Whoever gives that up leaves them to the next.
struct Batch<'a> {
    entries: Vec<AuditEntry>,
    waiting: &'a Mutex<Vec<AuditEntry>>,
}

/// One thing that was done, or tried, just now.
#[derive(Clone, Debug)]
pub struct Act {
    /// By whom.
    pub actor: Actor,
    /// Whose data or account, if somebody's.
    pub subject: Option<UserId>,
    /// What: a word, or method and route.
    pub action: String,
    /// On what: a path without its query, an id, or nothing.
    pub target: String,
    /// How it ended: `ok`, a status, or a word.
    pub outcome: String,
    /// From which network address.
    pub address: Option<IpAddr>,
}

impl Act {
    /// Makes one that concerns nobody's data and came from nowhere.
    pub fn new(actor: Actor, action: impl Into<String>, outcome: impl Into<String>) -> Self {
        let (action, outcome) = (action.into(), outcome.into());
        Self { actor, subject: None, action, target: String::new(), outcome, address: None }
    }
}

impl Audit {
    /// Builds it from the server's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            storage: Arc::clone(&parts.storage),
            clock: Arc::clone(&parts.clock),
            waiting: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Adds a row. What cannot be stored is counted and told to the log; the deed stands.
    pub async fn record(&self, act: Act) {
        let entry = AuditEntry {
            at: self.clock.wall(),
            actor: act.actor,
            subject: act.subject,
            action: act.action,
            target: act.target.chars().take(TARGET_MAX).collect(),
            outcome: act.outcome,
            address: act.address.map(|address| address.to_string()).unwrap_or_default(),
        };
        locked(&self.waiting).push(entry);
        let _turn = self.turn.lock().await;
        self.store().await;
    }

    /// Stores what waits now, at most [`BATCH_MAX`] rows at once. What comes meanwhile is for who comes with it: nobody
    /// stores for all others without an end.
    async fn store(&self) {
        let batches = locked(&self.waiting).len().div_ceil(BATCH_MAX);
        for _ in 0..batches {
            let mut batch = Batch::of(&self.waiting);
            if batch.entries.is_empty() {
                return;
            }
            if let Err(error) = self.storage.append_audit(&batch.entries).await {
                let lost = batch.entries.len();
                metrics::counter!("audit_lost_total").increment(u64::try_from(lost).unwrap_or(u64::MAX));
                tracing::error!(%error, lost, "audit rows are lost");
            }
            batch.entries.clear();
        }
    }
}

impl<'a> Batch<'a> {
    fn of(waiting: &'a Mutex<Vec<AuditEntry>>) -> Self {
        let mut all = locked(waiting);
        let count = all.len().min(BATCH_MAX);
        Self { entries: all.drain(..count).collect(), waiting }
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        locked(self.waiting).splice(0..0, self.entries.drain(..));
    }
}

fn locked(waiting: &Mutex<Vec<AuditEntry>>) -> MutexGuard<'_, Vec<AuditEntry>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
