//! The ladder of abuse (F9): a message too many is refused, too many refused ones close the socket, and whoever comes
//! back to do it again is kept out for a while.
//!
//! ```text
//! refused in words → `rejections` within `window`: socket closed (4003), a strike
//!                  → `strikes` within `strike_life`: block for `block`, every socket closed (4003)
//! ```
//!
//! What is counted is counted in this process; a block holds on all of them. It is left by time or by an
//! administrator. Limits as such are not decided here ([`crate::limit`]), nor does a sign of an emergency wait for any of
//! this.

mod ladder;

use std::sync::Arc;

use clock::SharedClock;

use crate::{
    audit::{Act, Audit},
    config,
    ids::UserId,
    parts::Parts,
    sockets::Sockets,
    storage::{Actor, Block, SharedStorage},
};
use ladder::{Ladder, Rung};

/// Why users are kept out.
const REASON: &str = "flood";

/// Counts what had to be refused, and acts on it. `Clone` shares the count.
#[derive(Clone, Debug)]
pub struct Abuse {
    ladder: Arc<Ladder>,
    rules: Arc<config::Abuse>,
    storage: SharedStorage,
    clock: SharedClock,
    sockets: Sockets,
    audit: Audit,
}

impl Abuse {
    /// Builds it from the server's parts; `sockets` are those that a block closes.
    pub(crate) fn new(parts: &Parts, sockets: Sockets) -> Self {
        let rules = Arc::new(parts.config.limits.abuse.clone());
        Self {
            ladder: Arc::new(Ladder::new(Arc::clone(&rules))),
            rules,
            storage: Arc::clone(&parts.storage),
            clock: Arc::clone(&parts.clock),
            sockets,
            audit: Audit::new(parts),
        }
    }

    /// Takes note that a frame of this user was refused; tells whether its socket is to be closed.
    pub(crate) async fn refused(&self, user: UserId) -> bool {
        match self.ladder.refused(user, self.clock.now()) {
            Rung::Stay => return false,
            Rung::Close => tracing::warn!(%user, "socket is closed: too many messages had to be refused"),
            Rung::Block => self.block(user).await,
        }
        metrics::counter!("abuse_total").increment(1);
        true
    }

    /// Forgets those who have behaved for long enough.
    pub(crate) fn sweep(&self) {
        self.ladder.sweep(self.clock.now());
    }

    /// Keeps a user out. When the store cannot take that, the other sockets stay open and the next strike tries again.
    async fn block(&self, user: UserId) {
        let at = self.clock.wall();
        let until = at.checked_add(self.rules.block).unwrap_or(jiff::Timestamp::MAX);
        tracing::warn!(%user, %until, "user is kept out: too many messages had to be refused again");
        let block = Block { user, reason: REASON.to_owned(), at, until };
        if let Err(error) = self.storage.block(block).await {
            tracing::error!(%error, %user, "block could not be stored");
            return;
        }
        self.ladder.blocked(user);
        let act = Act { subject: Some(user), ..Act::new(Actor::Server, "block", "ok") };
        self.audit.record(act).await;
        self.sockets.look_again(user);
    }
}
