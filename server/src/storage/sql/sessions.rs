//! Sessions: at most one open per user, by a unique partial index.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros},
};
use crate::{
    ids::{SessionId, UserId},
    storage::{NewSession, Session, StorageError, Stored},
};

/// How often opening is tried while other devices open and end sessions of the same user.
const OPEN_ATTEMPTS: u32 = 8;

pub(super) async fn open(db: &Database, user: UserId) -> Stored<Option<Session>> {
    let query = sqlx::query("SELECT * FROM sessions WHERE user_id = $1 AND ended_at IS NULL");
    query.bind(user.to_string()).first(db).await?.as_ref().map(session).transpose()
}

pub(super) async fn begin(db: &Database, new: NewSession) -> Stored<Session> {
    for _ in 0..OPEN_ATTEMPTS {
        if let Some(begun) = try_begin(db, &new).await? {
            return Ok(begun);
        }
        if let Some(others) = open(db, new.user).await? {
            return Ok(others);
        }
    }
    Err(StorageError::Other(format!(
        "sessions of user `{}` were opened and ended {OPEN_ATTEMPTS} times while one was to be opened",
        new.user
    )))
}

/// Ends the session to be replaced and opens the new one; changes nothing if there is another one.
async fn try_begin(db: &Database, new: &NewSession) -> Stored<Option<Session>> {
    const INSERT: &str = "INSERT INTO sessions \
        (id, user_id, number, reason, started_at, active_at, ended_at, messages) \
        SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $4, NULL, 0 FROM sessions WHERE user_id = $2 \
        ON CONFLICT (user_id) WHERE ended_at IS NULL DO NOTHING RETURNING *";
    let mut tx = db.write().await?;
    if let Some(old) = new.replacing {
        end_in(&mut tx, old, new.at).await?;
    }
    let row = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.user.to_string())
        .bind(new.reason.word())
        .bind(micros(new.at))
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else {
        tx.rollback().await?;
        return Ok(None);
    };
    tx.commit().await?;
    session(&row).map(Some)
}

pub(super) async fn end(db: &Database, id: SessionId, at: Timestamp) -> Stored<bool> {
    let mut tx = db.write().await?;
    let ended = end_in(&mut tx, id, at).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn end_in(tx: &mut Tx, id: SessionId, at: Timestamp) -> Stored<bool> {
    let query = sqlx::query("UPDATE sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL");
    let done = query.bind(id.to_string()).bind(micros(at)).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a session with its messages, which go with its row.
pub(super) async fn delete(db: &Database, user: UserId, id: SessionId) -> Stored<bool> {
    let query = sqlx::query("DELETE FROM sessions WHERE id = $1 AND user_id = $2");
    let mut tx = db.write().await?;
    let done = query.bind(id.to_string()).bind(user.to_string()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn list(
    db: &Database,
    user: UserId,
    before: Option<u32>,
    limit: u32,
) -> Stored<Vec<Session>> {
    const SELECT: &str =
        "SELECT * FROM sessions WHERE user_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3 + 0";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(before.map_or(i64::MAX, i64::from));
    query.bind(i64::from(limit)).all(db).await?.iter().map(session).collect()
}

pub(super) async fn exists(db: &Database, user: UserId, id: SessionId) -> Stored<bool> {
    let query = sqlx::query("SELECT id FROM sessions WHERE id = $1 AND user_id = $2");
    let query = query.bind(id.to_string()).bind(user.to_string());
    Ok(query.first(db).await?.is_some())
}

fn session(row: &AnyRow) -> Stored<Session> {
    let row = Columns::new("sessions", row);
    Ok(Session {
        id: row.id("id")?,
        user: row.id("user_id")?,
        number: row.count("number")?,
        reason: row.word("reason")?,
        started_at: row.time("started_at")?,
        active_at: row.time("active_at")?,
        ended_at: row.maybe_time("ended_at")?,
        messages: row.count("messages")?,
    })
}
