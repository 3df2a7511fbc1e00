//! Calls about tokens, with a limit of time.

use async_trait::async_trait;

use super::Patient;
use crate::{
    ids::UserId,
    storage::{SpendingStore, Stored},
};

#[async_trait]
impl SpendingStore for Patient {
    async fn spend_tokens(&self, user: UserId, day: i64, tokens: u64) -> Stored<()> {
        self.within(self.inner.spend_tokens(user, day, tokens)).await
    }

    async fn spent_tokens(&self, user: UserId, day: i64) -> Stored<u64> {
        self.within(self.inner.spent_tokens(user, day)).await
    }
}
