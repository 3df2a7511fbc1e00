//! Calendar feeds, found by the hash of their secret.

use jiff::Timestamp;

use super::{
    Database,
    calls::Read as _,
    row::{Columns, micros},
};
use crate::{
    ids::UserId,
    storage::{NewFeed, Stored},
};

pub(super) async fn open(db: &Database, feed: NewFeed) -> Stored<()> {
    const UPSERT: &str = "INSERT INTO feeds (user_id, secret_hash, created_at) VALUES ($1, $2, $3) \
        ON CONFLICT (user_id) DO UPDATE SET secret_hash = $2, created_at = $3";
    let mut tx = db.write().await?;
    let query = sqlx::query(UPSERT).bind(feed.user.to_string()).bind(feed.secret_hash).bind(micros(feed.at));
    query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn close(db: &Database, user: UserId) -> Stored<bool> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM feeds WHERE user_id = $1").bind(user.to_string());
    let done = query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn since(db: &Database, user: UserId) -> Stored<Option<Timestamp>> {
    let query = sqlx::query("SELECT created_at FROM feeds WHERE user_id = $1").bind(user.to_string());
    let row = query.first(db).await?;
    row.map(|row| Columns::new("feeds", &row).time("created_at")).transpose()
}

pub(super) async fn owner(db: &Database, secret_hash: &str) -> Stored<Option<UserId>> {
    let query = sqlx::query("SELECT user_id FROM feeds WHERE secret_hash = $1").bind(secret_hash.to_owned());
    let row = query.first(db).await?;
    row.map(|row| Columns::new("feeds", &row).id("user_id")).transpose()
}
