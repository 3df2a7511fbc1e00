//! Who preferred which language, and from when on.

use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros, text},
    users,
};
use crate::{
    ids::UserId,
    storage::{NewPreference, PREFERENCES_MAX, Preference, PreferenceSource, Stored},
};

impl Word for PreferenceSource {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::User, "user"), (Self::Admin, "admin"), (Self::Fallback, "fallback")];
}

pub(super) async fn prefer(db: &Database, change: NewPreference) -> Stored<Option<Preference>> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, change.user).await?;
    let from = current(&mut tx, change.user).await?;
    let Some(from) = from.filter(|from| *from != text(&change.to)) else {
        tx.rollback().await?;
        return Ok(None);
    };
    let latest = latest(&mut tx, change.user).await?;
    let stored = Preference { from, to: text(&change.to), at: change.at, source: change.source };
    if change.source == PreferenceSource::Fallback {
        if latest.as_ref().is_some_and(|(_, known)| *known == Preference { at: known.at, ..stored.clone() }) {
            tx.rollback().await?;
            return Ok(None);
        }
    } else {
        let query = sqlx::query("UPDATE users SET language = $2 WHERE id = $1");
        query.bind(change.user.to_string()).bind(&stored.to).execute(&mut *tx).await?;
    }
    let number = latest.map_or(0, |(number, _)| number) + 1;
    insert(&mut tx, (change.user, number), &stored).await?;
    tx.commit().await?;
    Ok(Some(stored))
}

pub(super) async fn list(db: &Database, user: UserId) -> Stored<Vec<Preference>> {
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(i64::from(PREFERENCES_MAX));
    let rows = query.all(db).await?;
    rows.iter().rev().map(|row| preference(row).map(|(_, preference)| preference)).collect()
}

const SELECT: &str =
    "SELECT * FROM language_preferences WHERE user_id = $1 ORDER BY number DESC LIMIT $2 + 0";

async fn current(tx: &mut Tx, user: UserId) -> Stored<Option<String>> {
    let query = sqlx::query("SELECT language FROM users WHERE id = $1").bind(user.to_string());
    let row = query.fetch_optional(&mut **tx).await?;
    row.map(|row| Columns::new("users", &row).text("language")).transpose()
}

async fn latest(tx: &mut Tx, user: UserId) -> Stored<Option<(i64, Preference)>> {
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(1_i64);
    query.fetch_optional(&mut **tx).await?.as_ref().map(preference).transpose()
}

async fn insert(tx: &mut Tx, (user, number): (UserId, i64), new: &Preference) -> Stored<()> {
    const INSERT: &str = "INSERT INTO language_preferences \
        (user_id, number, from_language, to_language, source, changed_at) VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(INSERT)
        .bind(user.to_string())
        .bind(number)
        .bind(&new.from)
        .bind(&new.to)
        .bind(new.source.word())
        .bind(micros(new.at))
        .execute(&mut **tx)
        .await?;
    let query = sqlx::query("DELETE FROM language_preferences WHERE user_id = $1 AND number <= $2");
    let last = number - i64::from(PREFERENCES_MAX);
    query.bind(user.to_string()).bind(last).execute(&mut **tx).await?;
    Ok(())
}

fn preference(row: &AnyRow) -> Stored<(i64, Preference)> {
    let row = Columns::new("language_preferences", row);
    let preference = Preference {
        from: row.text("from_language")?,
        to: row.text("to_language")?,
        at: row.time("changed_at")?,
        source: row.word("source")?,
    };
    Ok((row.get("number")?, preference))
}
