//! The right to run a user's turn, where several replicas may.
//!
//! It is held for a while and held on to as long as the turn runs, so that it is free soon after its replica has died.
//! Without an answer of the exchange a turn runs without it: then, and only then, two replicas may answer one user at
//! once.

use std::{sync::Arc, time::Duration};

use clock::SharedClock;
use tokio::task::AbortHandle;
use uuid::Uuid;

use crate::{exchange::SharedExchange, ids::UserId};

/// So long a right is good without being held on to.
pub(in crate::chat) const LIFE: Duration = Duration::from_secs(6);
/// So often it is held on to.
const HOLD_EVERY: Duration = Duration::from_secs(2);
/// So often it is asked whether another replica has given it back.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Where the rights are. `Clone` shares them.
#[derive(Clone, Debug)]
pub(in crate::chat) struct Rights {
    exchange: SharedExchange,
    clock: SharedClock,
    /// What this replica is called.
    holder: Arc<str>,
}

/// A right, held on to until it is given back or dropped.
#[derive(Debug)]
pub(super) struct Right {
    rights: Rights,
    user: UserId,
    holding: AbortHandle,
}

impl Rights {
    pub(in crate::chat) fn new(exchange: SharedExchange, clock: SharedClock) -> Self {
        Self { exchange, clock, holder: Uuid::new_v4().to_string().into() }
    }

    /// Waits for a user's right; the caller limits how long that may take. When the exchange does not answer, the turn
    /// begins without it, and gets it as soon as it can be had.
    pub(super) async fn take(&self, user: UserId) -> Right {
        loop {
            match self.exchange.hold(user, &self.holder, LIFE).await {
                Ok(true) => break,
                Ok(false) => self.clock.sleep(ASK_EVERY).await,
                Err(_) => {
                    metrics::counter!("turns_unshared_total").increment(1);
                    break;
                }
            }
        }
        let holding = tokio::spawn(self.clone().hold_on(user)).abort_handle();
        Right { rights: self.clone(), user, holding }
    }

    async fn hold_on(self, user: UserId) {
        loop {
            self.clock.sleep(HOLD_EVERY).await;
            if let Ok(false) = self.exchange.hold(user, &self.holder, LIFE).await {
                tracing::warn!(%user, "another replica has taken the right to the running turn");
            }
        }
    }
}

impl Right {
    /// Gives the right back.
    pub(super) async fn give_back(self) {
        self.holding.abort();
        // If the exchange does not answer, it is free after its life.
        let _ = self.rights.exchange.release(self.user, &self.rights.holder).await;
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        self.holding.abort();
    }
}
