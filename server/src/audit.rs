//! The audit log: who did what, when, to whose data, and how it ended (F107).
//!
//! Kept are writes, log-ins that went well or not, what administrators do, blocks, and refresh tokens used twice.
//! Rows hold ids, routes and outcomes; no text of a user, no address of a mail, no token. They are added after the
//! deed and outside its transaction: what a store that is down could not take is counted in `audit_lost_total`.

use std::{net::IpAddr, sync::Arc};

use clock::SharedClock;

use crate::{
    ids::UserId,
    parts::Parts,
    storage::{Actor, AuditEntry, SharedStorage},
};

/// Longest target that is kept, in characters.
const TARGET_MAX: usize = 200;

/// Adds to the log. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Audit {
    storage: SharedStorage,
    clock: SharedClock,
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
        Self { storage: Arc::clone(&parts.storage), clock: Arc::clone(&parts.clock) }
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
        if let Err(error) = self.storage.append_audit(entry).await {
            metrics::counter!("audit_lost_total").increment(1);
            tracing::error!(%error, "audit row is lost");
        }
    }
}
