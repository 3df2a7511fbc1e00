//! What answers cost.

use async_trait::async_trait;

use super::Stored;
use crate::ids::UserId;

/// The part of [`Storage`](super::Storage) that counts tokens. The same promises hold.
#[async_trait]
pub trait SpendingStore: Send + Sync {
    /// Adds tokens to those of a user's day (days since 1970). Only the newest day is kept: what comes late for an older
    /// one counts on that one.
    async fn spend_tokens(&self, user: UserId, day: i64, tokens: u64) -> Stored<()>;
    /// Returns the tokens of a user's day; none of a day that is not kept.
    async fn spent_tokens(&self, user: UserId, day: i64) -> Stored<u64>;
}
