//! Users who are kept out for a while.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database,
    calls::Read as _,
    row::{Columns, micros, text},
};
use crate::{
    ids::UserId,
    storage::{BLOCKS_MAX, Block, Stored},
};

pub(super) async fn set(db: &Database, block: Block) -> Stored<()> {
    const UPSERT: &str = "INSERT INTO blocks (user_id, reason, blocked_at, until) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (user_id) DO UPDATE SET reason = $2, blocked_at = $3, until = $4";
    let mut tx = db.write().await?;
    sqlx::query(UPSERT)
        .bind(block.user.to_string())
        .bind(text(&block.reason))
        .bind(micros(block.at))
        .bind(micros(block.until))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn lift(db: &Database, user: UserId, at: Timestamp) -> Stored<bool> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM blocks WHERE user_id = $1 AND until > $2");
    let done = query.bind(user.to_string()).bind(micros(at)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn list(db: &Database, at: Timestamp) -> Stored<Vec<Block>> {
    const SELECT: &str =
        "SELECT * FROM blocks WHERE until > $1 ORDER BY blocked_at DESC, user_id LIMIT $2 + 0";
    let query = sqlx::query(SELECT).bind(micros(at)).bind(i64::from(BLOCKS_MAX));
    query.all(db).await?.iter().map(block).collect()
}

fn block(row: &AnyRow) -> Stored<Block> {
    let row = Columns::new("blocks", row);
    Ok(Block {
        user: row.id("user_id")?,
        reason: row.text("reason")?,
        at: row.time("blocked_at")?,
        until: row.time("until")?,
    })
}
