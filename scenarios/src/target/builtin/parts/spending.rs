//! What answers cost, as a weakened storage counts it.

use async_trait::async_trait;
use server::{
    ids::UserId,
    storage::{SpendingStore, Stored},
};

use super::{Twist, WatchedStorage, handed_on};
use crate::target::builtin::under::Does;

#[async_trait]
impl SpendingStore for WatchedStorage {
    async fn spend_tokens(&self, user: UserId, day: i64, tokens: u64) -> Stored<()> {
        // A day that never ends is the first one.
        let day = if self.twist == Twist::EndlessDay { 0 } else { day };
        handed_on!(Write, self.spend_tokens(user, day, tokens))
    }

    async fn spent_tokens(&self, user: UserId, day: i64) -> Stored<u64> {
        let day = if self.twist == Twist::EndlessDay { 0 } else { day };
        handed_on!(Read, self.spent_tokens(user, day))
    }
}
