//! Texts in the place of those in files, version by version.
//!
//! Invariant: of one text at most one version is live. Writers stand in line at the row that counts the changes.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros, text},
};
use crate::{
    ids::UserId,
    storage::{
        Approved, LiveText, NewText, StorageError, Stored, TEXT_VERSIONS_MAX, TextPlace, TextState,
        TextVersion,
    },
};

impl Word for TextState {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Waiting, "waiting"), (Self::Live, "live"), (Self::Replaced, "replaced")];
}

/// A version with the number of its approvals.
const SELECT: &str = "SELECT text_versions.*, (SELECT COUNT(*) FROM text_approvals \
    WHERE text_approvals.language = text_versions.language AND text_approvals.key = text_versions.key \
    AND text_approvals.version = text_versions.version) AS approvals \
    FROM text_versions WHERE language = $1 AND key = $2 AND ($3 = 0 OR version = $3) \
    ORDER BY version DESC LIMIT $4 + 0";

pub(super) async fn revision(db: &Database) -> Stored<i64> {
    let query = sqlx::query("SELECT number FROM revisions WHERE name = 'texts'");
    let row = query.first(db).await?;
    row.map_or(Ok(0), |row| Columns::new("revisions", &row).get("number"))
}

pub(super) async fn live(db: &Database) -> Stored<Vec<LiveText>> {
    const LIVE: &str = "SELECT language, key, body FROM text_versions \
        WHERE state = $1 AND body IS NOT NULL ORDER BY language, key";
    let rows = sqlx::query(LIVE).bind(TextState::Live.word()).all(db).await?;
    let read = |row: &AnyRow| {
        let row = Columns::new("text_versions", row);
        let place = TextPlace { language: row.text("language")?, key: row.text("key")? };
        Ok(LiveText { place, body: row.text("body")? })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn versions(db: &Database, place: &TextPlace) -> Stored<Vec<TextVersion>> {
    let query = sqlx::query(SELECT).bind(text(&place.language)).bind(text(&place.key));
    let query = query.bind(0_i64).bind(i64::from(TEXT_VERSIONS_MAX));
    query.all(db).await?.iter().map(version).collect()
}

pub(super) async fn add(db: &Database, new: NewText) -> Stored<TextVersion> {
    const INSERT: &str = "INSERT INTO text_versions \
        (language, key, version, body, state, author, tokens, approvals_needed, created_at) \
        SELECT $1, $2, COALESCE(MAX(version), 0) + 1, $3, $4, $5, $6, $7, $8 \
        FROM text_versions WHERE language = $1 AND key = $2 RETURNING version";
    let mut tx = db.write().await?;
    count_change(&mut tx).await?;
    let row = sqlx::query(INSERT)
        .bind(text(&new.place.language))
        .bind(text(&new.place.key))
        .bind(new.body.as_deref().map(text))
        .bind(TextState::Waiting.word())
        .bind(new.author.map(|author| author.to_string()))
        .bind(i64::from(new.tokens))
        .bind(i64::from(new.approvals_needed))
        .bind(micros(new.at))
        .fetch_one(&mut *tx)
        .await?;
    let number = Columns::new("text_versions", &row).count("version")?;
    if let Some(author) = new.author {
        insert_approval(&mut tx, (&new.place, number), (author, new.at)).await?;
    }
    let stored = decide(&mut tx, (&new.place, number), new.at).await?;
    tx.commit().await?;
    Ok(stored)
}

pub(super) async fn approve(
    db: &Database,
    (place, number): (&TextPlace, u32),
    by: (UserId, Timestamp),
) -> Stored<Approved> {
    let mut tx = db.write().await?;
    count_change(&mut tx).await?;
    let refused = match find(&mut tx, (place, number)).await? {
        None => Some(Approved::Unknown),
        Some(found) if found.state != TextState::Waiting => Some(Approved::Decided),
        Some(_) if !insert_approval(&mut tx, (place, number), by).await? => Some(Approved::Before),
        Some(_) => None,
    };
    if let Some(refused) = refused {
        tx.rollback().await?;
        return Ok(refused);
    }
    let stored = decide(&mut tx, (place, number), by.1).await?;
    tx.commit().await?;
    Ok(Approved::Counted(stored))
}

/// Tells everybody that texts have changed, and holds back every other writer of texts.
async fn count_change(tx: &mut Tx) -> Stored<()> {
    let query = sqlx::query("UPDATE revisions SET number = number + 1 WHERE name = 'texts'");
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Returns `false` when this administrator has approved before.
async fn insert_approval(
    tx: &mut Tx,
    (place, number): (&TextPlace, u32),
    (admin, at): (UserId, Timestamp),
) -> Stored<bool> {
    const INSERT: &str = "INSERT INTO text_approvals (language, key, version, admin, approved_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (language, key, version, admin) DO NOTHING";
    let done = sqlx::query(INSERT)
        .bind(text(&place.language))
        .bind(text(&place.key))
        .bind(i64::from(number))
        .bind(admin.to_string())
        .bind(micros(at))
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes a version live if enough have approved, in the place of the one before.
async fn decide(tx: &mut Tx, which: (&TextPlace, u32), at: Timestamp) -> Stored<TextVersion> {
    const REPLACE: &str = "UPDATE text_versions SET \
        live_at = CASE WHEN version = $3 THEN $4 ELSE live_at END, \
        state = CASE WHEN version = $3 THEN $5 ELSE $6 END \
        WHERE language = $1 AND key = $2 AND (version = $3 OR state = $5)";
    let (place, number) = which;
    let gone = || StorageError::Other("text that was just written is gone".to_owned());
    let found = find(tx, which).await?.ok_or_else(gone)?;
    if found.approvals < found.approvals_needed {
        return Ok(found);
    }
    sqlx::query(REPLACE)
        .bind(text(&place.language))
        .bind(text(&place.key))
        .bind(i64::from(number))
        .bind(micros(at))
        .bind(TextState::Live.word())
        .bind(TextState::Replaced.word())
        .execute(&mut **tx)
        .await?;
    find(tx, which).await?.ok_or_else(gone)
}

async fn find(tx: &mut Tx, (place, number): (&TextPlace, u32)) -> Stored<Option<TextVersion>> {
    let query = sqlx::query(SELECT).bind(text(&place.language)).bind(text(&place.key));
    let query = query.bind(i64::from(number)).bind(1_i64);
    query.fetch_optional(&mut **tx).await?.as_ref().map(version).transpose()
}

fn version(row: &AnyRow) -> Stored<TextVersion> {
    let row = Columns::new("text_versions", row);
    Ok(TextVersion {
        version: row.count("version")?,
        body: row.get("body")?,
        state: row.word("state")?,
        author: row.maybe_id("author")?,
        tokens: row.count("tokens")?,
        approvals_needed: row.count("approvals_needed")?,
        approvals: row.count("approvals")?,
        created_at: row.time("created_at")?,
        live_at: row.maybe_time("live_at")?,
    })
}
