//! Tokens of a user's day.

use async_trait::async_trait;

use super::{Database, calls::Read as _, row::Columns};
use crate::{
    ids::UserId,
    storage::{SpendingStore, Stored},
};

#[async_trait]
impl SpendingStore for Database {
    async fn spend_tokens(&self, user: UserId, day: i64, tokens: u64) -> Stored<()> {
        const ADD: &str = "INSERT INTO token_use (user_id, day, tokens) VALUES ($1, $2, $3) \
            ON CONFLICT (user_id) DO UPDATE SET \
            tokens = CASE WHEN token_use.day < $2 THEN $3 ELSE token_use.tokens + $3 END, \
            day = CASE WHEN token_use.day < $2 THEN $2 ELSE token_use.day END";
        let mut tx = self.write().await?;
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        sqlx::query(ADD).bind(user.to_string()).bind(day).bind(tokens).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn spent_tokens(&self, user: UserId, day: i64) -> Stored<u64> {
        const SELECT: &str = "SELECT tokens FROM token_use WHERE user_id = $1 AND day = $2";
        let row = sqlx::query(SELECT).bind(user.to_string()).bind(day).first(self).await?;
        let tokens: i64 = row.map_or(Ok(0), |row| Columns::new("token_use", &row).get("tokens"))?;
        Ok(tokens.unsigned_abs())
    }
}
