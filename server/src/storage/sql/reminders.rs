//! Reminders; one that comes from a suggestion confirms it in the same transaction.

use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    row::{Columns, micros, text},
    suggestions, users,
};
use crate::{
    ids::{ReminderId, SuggestionId, UserId},
    storage::{NewReminder, REMINDERS_MAX, Reminder, ReminderChange, ReminderOutcome, StorageError, Stored},
};

pub(super) async fn create(db: &Database, new: NewReminder) -> Stored<ReminderOutcome> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, new.user).await?;
    if let Some(id) = new.suggestion
        && !suggestions::confirm(&mut tx, id, &new).await?
    {
        let outcome = refusal(&mut tx, id, new.user).await?;
        tx.rollback().await?;
        return Ok(outcome);
    }
    check_room(&mut tx, new.user).await?;
    let stored = insert(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(ReminderOutcome::Created(stored))
}

async fn check_room(tx: &mut Tx, user: UserId) -> Stored<()> {
    let query = sqlx::query("SELECT COUNT(*) AS n FROM reminders WHERE user_id = $1").bind(user.to_string());
    if Columns::new("reminders", &query.fetch_one(&mut **tx).await?).count("n")? >= REMINDERS_MAX {
        return Err(StorageError::TooMany { what: "reminders", most: REMINDERS_MAX });
    }
    Ok(())
}

async fn refusal(tx: &mut Tx, id: SuggestionId, user: UserId) -> Stored<ReminderOutcome> {
    Ok(match suggestions::use_of(tx, id, user).await? {
        None => ReminderOutcome::UnknownSuggestion,
        Some(None) => ReminderOutcome::ExpiredSuggestion,
        Some(Some(reminder)) => ReminderOutcome::UsedSuggestion(reminder),
    })
}

async fn insert(tx: &mut Tx, new: &NewReminder) -> Stored<Reminder> {
    const INSERT: &str = "INSERT INTO reminders \
        (id, user_id, title, description, remind_at, offset_minutes, is_completed, suggestion_id, \
        created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $8) RETURNING *";
    let query = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.user.to_string())
        .bind(text(&new.title))
        .bind(text(&new.description))
        .bind(micros(new.time))
        .bind(i64::from(new.offset_minutes))
        .bind(new.suggestion.map(|id| id.to_string()))
        .bind(micros(new.at));
    reminder(&query.fetch_one(&mut **tx).await?)
}

pub(super) async fn list(db: &Database, user: UserId) -> Stored<Vec<Reminder>> {
    const SELECT: &str = "SELECT * FROM reminders WHERE user_id = $1 ORDER BY remind_at, created_at, id \
        LIMIT $2";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(i64::from(REMINDERS_MAX));
    query.fetch_all(&db.readers).await?.iter().map(reminder).collect()
}

pub(super) async fn find(db: &Database, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
    let query = sqlx::query("SELECT * FROM reminders WHERE id = $1 AND user_id = $2");
    let query = query.bind(id.to_string()).bind(user.to_string());
    query.fetch_optional(&db.readers).await?.as_ref().map(reminder).transpose()
}

pub(super) async fn update(db: &Database, change: ReminderChange) -> Stored<Option<Reminder>> {
    const UPDATE: &str = "UPDATE reminders SET title = COALESCE($3, title), \
        description = COALESCE($4, description), remind_at = COALESCE($5, remind_at), \
        offset_minutes = COALESCE($6, offset_minutes), is_completed = COALESCE($7, is_completed), \
        updated_at = $8 WHERE id = $1 AND user_id = $2 RETURNING *";
    let mut tx = db.write().await?;
    let row = sqlx::query(UPDATE)
        .bind(change.id.to_string())
        .bind(change.user.to_string())
        .bind(change.title.as_deref().map(text))
        .bind(change.description.as_deref().map(text))
        .bind(change.time.map(|(time, _)| micros(time)))
        .bind(change.time.map(|(_, offset)| i64::from(offset)))
        .bind(change.is_completed.map(i64::from))
        .bind(micros(change.at))
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    row.as_ref().map(reminder).transpose()
}

pub(super) async fn delete(db: &Database, user: UserId, id: ReminderId) -> Stored<bool> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM reminders WHERE id = $1 AND user_id = $2");
    let done = query.bind(id.to_string()).bind(user.to_string()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

fn reminder(row: &AnyRow) -> Stored<Reminder> {
    let row = Columns::new("reminders", row);
    Ok(Reminder {
        id: row.id("id")?,
        user: row.id("user_id")?,
        title: row.text("title")?,
        description: row.text("description")?,
        time: row.time("remind_at")?,
        offset_minutes: row.minutes("offset_minutes")?,
        is_completed: row.flag("is_completed")?,
        suggestion: row.maybe_id("suggestion_id")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
