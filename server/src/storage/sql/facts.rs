//! Facts: one row with a version, and every value that there ever was.
//!
//! Invariant: the row and its newest revision say the same; both are written in one transaction.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros, text},
    users,
};
use crate::{
    ids::UserId,
    storage::{
        Expected, FACTS_MAX, Fact, FactClosing, FactOutcome, FactRevision, FactWrite, HISTORY_MAX,
        StorageError, Stored,
    },
};

const ONE: &str = "SELECT * FROM facts WHERE user_id = $1 AND key = $2 \
    AND (expires_at IS NULL OR expires_at > $3)";

pub(super) async fn valid(db: &Database, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
    const SELECT: &str = "SELECT * FROM facts WHERE user_id = $1 \
        AND (expires_at IS NULL OR expires_at > $2) ORDER BY key LIMIT $3 + 0";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(micros(at)).bind(i64::from(FACTS_MAX));
    let rows = query.all(db).await?;
    let mut facts = rows.iter().map(fact).collect::<Stored<Vec<_>>>()?;
    // Sorted here: the engines order texts by different rules.
    facts.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(facts)
}

pub(super) async fn find(db: &Database, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
    let query = sqlx::query(ONE).bind(user.to_string()).bind(text(key)).bind(micros(at));
    query.first(db).await?.as_ref().map(fact).transpose()
}

/// What is noted of a changed fact, from the row that comes behind it.
macro_rules! note {
    ($is_end:literal) => {
        concat!(
            "INSERT INTO fact_revisions \
             (user_id, key, version, value, confidence, source, written_at, is_end) \
             SELECT user_id, key, version, value, confidence, source, updated_at, ",
            $is_end,
            " FROM "
        )
    };
}

/// A change of the fact `$2` of user `$1` with its note, as one text for each engine.
macro_rules! noted {
    ($change:literal, $is_end:literal) => {
        [
            concat!(
                "BEGIN IMMEDIATE; ",
                $change,
                "; ",
                note!($is_end),
                "facts WHERE user_id = $1 AND key = $2 AND CHANGES() = 1; COMMIT"
            ),
            concat!(
                "WITH changed AS (",
                $change,
                "), noted AS (",
                note!($is_end),
                "changed) SELECT * FROM changed"
            ),
        ]
    };
}

pub(super) async fn write(db: &Database, write: FactWrite) -> Stored<FactOutcome> {
    let written = match write.expected {
        Expected::Absent => add(db, &write).await?,
        Expected::Version(version) => update(db, &write, version).await?,
    };
    match written {
        Some(written) => Ok(FactOutcome::Written(written)),
        None => find(db, write.user, &write.key, write.at).await.map(FactOutcome::Conflict),
    }
}

/// Closes the one expected version. Its end is the time of its last writing: by that it is told from a fact
/// that ceased to hold by itself.
pub(super) async fn close(db: &Database, closing: FactClosing) -> Stored<FactOutcome> {
    const CLOSE: [&str; 2] = noted!(
        "UPDATE facts SET source = $3, version = version + 1, updated_at = $4, \
         expires_at = $4 WHERE user_id = $1 AND key = $2 AND version = $5 \
         AND (expires_at IS NULL OR expires_at > $4) RETURNING *",
        "1"
    );
    let query = sqlx::query(db.engine.text(CLOSE))
        .bind(closing.user.to_string())
        .bind(text(&closing.key))
        .bind(closing.source.word())
        .bind(micros(closing.at))
        .bind(closing.version);
    match db.at_once(query).await?.first() {
        Some(closed) => fact(closed).map(FactOutcome::Written),
        None => find(db, closing.user, &closing.key, closing.at).await.map(FactOutcome::Conflict),
    }
}

/// A fact that somebody revives meanwhile is left alone: whether it has ended is asked by the deletion itself.
pub(super) async fn purge(db: &Database, ended_by: Timestamp, limit: u32) -> Stored<usize> {
    const FACTS: &str = "DELETE FROM facts WHERE expires_at <= $1 AND (user_id, key) IN \
        (SELECT user_id, key FROM facts WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 + 0) \
        RETURNING user_id, key";
    const HISTORY: &str = "DELETE FROM fact_revisions WHERE user_id = $1 AND key = $2";
    let mut tx = db.write().await?;
    let query = sqlx::query(FACTS).bind(micros(ended_by)).bind(i64::from(limit));
    let gone = query.fetch_all(&mut *tx).await?;
    for row in &gone {
        let row = Columns::new("facts", row);
        let query = sqlx::query(HISTORY).bind(row.text("user_id")?).bind(row.text("key")?);
        query.execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(gone.len())
}

/// Adds a fact if there is room for one; nothing else is added to this user's facts meanwhile.
async fn add(db: &Database, write: &FactWrite) -> Stored<Option<Fact>> {
    const VALID: &str = "SELECT COUNT(*) AS n FROM facts WHERE user_id = $1 \
        AND (expires_at IS NULL OR expires_at > $2)";
    let mut tx = db.write().await?;
    users::hold(&mut tx, write.user).await?;
    let Some(added) = insert(&mut tx, write).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let query = sqlx::query(VALID).bind(write.user.to_string()).bind(micros(write.at));
    if Columns::new("facts", &query.fetch_one(&mut *tx).await?).count("n")? > FACTS_MAX {
        return Err(StorageError::TooMany { what: "facts", most: FACTS_MAX });
    }
    remember(&mut tx, &added).await?;
    tx.commit().await?;
    Ok(Some(added))
}

/// Writes where nothing is, or something that has expired; its versions are counted on.
async fn insert(tx: &mut Tx, write: &FactWrite) -> Stored<Option<Fact>> {
    const INSERT: &str = "INSERT INTO facts \
        (user_id, key, value, confidence, source, version, updated_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7) \
        ON CONFLICT (user_id, key) DO UPDATE SET value = $3, confidence = $4, source = $5, \
        version = facts.version + 1, updated_at = $6, expires_at = $7 \
        WHERE facts.expires_at IS NOT NULL AND facts.expires_at <= $6 RETURNING *";
    let query = sqlx::query(INSERT)
        .bind(write.user.to_string())
        .bind(text(&write.key))
        .bind(text(&write.value))
        .bind(write.confidence)
        .bind(write.source.word())
        .bind(micros(write.at))
        .bind(write.expires_at.map(micros));
    query.fetch_optional(&mut **tx).await?.as_ref().map(fact).transpose()
}

/// Writes over the one expected version, if it has not expired.
async fn update(db: &Database, write: &FactWrite, version: i64) -> Stored<Option<Fact>> {
    const UPDATE: [&str; 2] = noted!(
        "UPDATE facts SET value = $3, confidence = $4, source = $5, \
         version = version + 1, updated_at = $6, expires_at = $7 \
         WHERE user_id = $1 AND key = $2 AND version = $8 AND (expires_at IS NULL OR expires_at > $6) \
         RETURNING *",
        "0"
    );
    let query = sqlx::query(db.engine.text(UPDATE))
        .bind(write.user.to_string())
        .bind(text(&write.key))
        .bind(text(&write.value))
        .bind(write.confidence)
        .bind(write.source.word())
        .bind(micros(write.at))
        .bind(write.expires_at.map(micros))
        .bind(version);
    db.at_once(query).await?.first().map(fact).transpose()
}

async fn remember(tx: &mut Tx, fact: &Fact) -> Stored<()> {
    const NOTE: &str = concat!(note!("0"), "facts WHERE user_id = $1 AND key = $2");
    let query = sqlx::query(NOTE).bind(fact.user.to_string()).bind(fact.key.as_str());
    query.execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn history(db: &Database, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
    const SELECT: &str = "SELECT * FROM (SELECT * FROM fact_revisions WHERE user_id = $1 AND key = $2 \
        ORDER BY version DESC LIMIT $3 + 0) AS newest ORDER BY version";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(text(key)).bind(i64::from(HISTORY_MAX));
    query.all(db).await?.iter().map(revision).collect()
}

fn fact(row: &AnyRow) -> Stored<Fact> {
    let row = Columns::new("facts", row);
    Ok(Fact {
        user: row.id("user_id")?,
        key: row.text("key")?,
        value: row.text("value")?,
        confidence: row.get("confidence")?,
        source: row.word("source")?,
        version: row.get("version")?,
        updated_at: row.time("updated_at")?,
        expires_at: row.maybe_time("expires_at")?,
    })
}

fn revision(row: &AnyRow) -> Stored<FactRevision> {
    let row = Columns::new("fact_revisions", row);
    Ok(FactRevision {
        version: row.get("version")?,
        value: row.text("value")?,
        confidence: row.get("confidence")?,
        source: row.word("source")?,
        at: row.time("written_at")?,
        is_end: row.get::<Option<i64>>("is_end")? == Some(1),
    })
}
