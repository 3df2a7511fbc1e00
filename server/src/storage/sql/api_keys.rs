//! Keys for programs.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database,
    calls::Read as _,
    row::{Columns, micros, text},
    users,
};
use crate::{
    ids::ApiKeyId,
    storage::{API_KEYS_MAX, ApiKey, SecretHash, StorageError, Stored},
};

pub(super) async fn add(db: &Database, key: ApiKey, hash: SecretHash) -> Stored<()> {
    const COUNT: &str = "SELECT COUNT(*) AS n FROM api_keys WHERE user_id = $1 AND expires_at > $2";
    const INSERT: &str = "INSERT INTO api_keys \
        (id, user_id, name, prefix, hash, scopes, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let mut tx = db.write().await?;
    users::hold(&mut tx, key.user).await?;
    let count = sqlx::query(COUNT).bind(key.user.to_string()).bind(micros(key.created_at));
    let row = count.fetch_one(&mut *tx).await?;
    if Columns::new("api_keys", &row).count("n")? >= API_KEYS_MAX {
        return Err(StorageError::TooMany { what: "API keys", most: API_KEYS_MAX });
    }
    sqlx::query(INSERT)
        .bind(key.id.to_string())
        .bind(key.user.to_string())
        .bind(text(&key.name))
        .bind(key.prefix)
        .bind(hash.0)
        .bind(key.scopes.join(" "))
        .bind(micros(key.created_at))
        .bind(micros(key.expires_at))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn find(db: &Database, hash: &SecretHash, at: Timestamp) -> Stored<Option<ApiKey>> {
    let query = sqlx::query("SELECT * FROM api_keys WHERE hash = $1 AND expires_at > $2");
    let row = query.bind(hash.0.as_str()).bind(micros(at)).first(db).await?;
    row.as_ref().map(api_key).transpose()
}

pub(super) async fn list(db: &Database) -> Stored<Vec<ApiKey>> {
    let query = sqlx::query("SELECT * FROM api_keys ORDER BY created_at DESC, id");
    query.all(db).await?.iter().map(api_key).collect()
}

pub(super) async fn remove(db: &Database, id: ApiKeyId) -> Stored<bool> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM api_keys WHERE id = $1").bind(id.to_string());
    let done = query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

fn api_key(row: &AnyRow) -> Stored<ApiKey> {
    let row = Columns::new("api_keys", row);
    Ok(ApiKey {
        id: row.id("id")?,
        user: row.id("user_id")?,
        name: row.text("name")?,
        prefix: row.text("prefix")?,
        scopes: row.text("scopes")?.split_whitespace().map(str::to_owned).collect(),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}
