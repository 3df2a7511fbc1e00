//! Reminders; one that comes from a suggestion confirms it in the same transaction.
//!
//! A deleted one stays for a while as a row that nobody is shown, so that it can be brought back. With the user's
//! next deletion after that what it said is blanked, and later the row goes.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    replies,
    row::{Columns, Word, micros, text},
    suggestions, users,
};
use crate::{
    ids::{ReminderId, SuggestionId, UserId},
    storage::{
        NewReminder, Origin, Priority, REMINDERS_MAX, Reminder, ReminderChange, ReminderOutcome, Restoration,
        RestoreOutcome, Rollback, StorageError, Stored, Suggestion, TimeRule, UNDO_HOURS_MAX,
    },
};

/// So long a deleted reminder is known to have been one.
const TOMBSTONE_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So long what a deleted reminder said is kept: as long as it can be brought back by any setting.
const TEXT_LIFE: SignedDuration = SignedDuration::from_hours(UNDO_HOURS_MAX);

pub(super) async fn create(db: &Database, new: NewReminder) -> Stored<ReminderOutcome> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, new.user).await?;
    if let Some(request) = &new.request
        && let Some(outcome) = replies::find(&mut tx, new.user, request).await?
    {
        tx.rollback().await?;
        return Ok(outcome);
    }
    let suggestion = match new.suggestion {
        Some(id) => match confirm(&mut tx, &new, id).await? {
            Ok(suggestion) => Some(suggestion),
            Err(refusal) => {
                tx.rollback().await?;
                return Ok(refusal);
            }
        },
        None => None,
    };
    check_room(&mut tx, new.user).await?;
    let stored = insert(&mut tx, &new, suggestion.as_ref()).await?;
    if let Some(request) = &new.request {
        replies::keep(&mut tx, &new, request, (request.reply)(&stored)).await?;
    }
    tx.commit().await?;
    Ok(ReminderOutcome::Created(stored))
}

/// Confirms the suggestion, or says why that cannot be done.
async fn confirm(
    tx: &mut Tx,
    new: &NewReminder,
    id: SuggestionId,
) -> Stored<Result<Suggestion, ReminderOutcome>> {
    let found = suggestions::find(tx, id, new.user).await?;
    let Some(suggestion) = found else { return Ok(Err(ReminderOutcome::UnknownSuggestion)) };
    if let Some(reminder) = suggestion.reminder {
        return Ok(Err(ReminderOutcome::UsedSuggestion(reminder)));
    }
    let asks = |rule: TimeRule| rule.asks(suggestion.kind, suggestion.priority);
    let is_beyond_policy = new.origin == Origin::Policy && suggestion.priority != Priority::Low;
    let is_open = suggestion.dismissed_at.is_none() && suggestion.expires_at > new.at;
    if is_open && (is_beyond_policy || new.unconfirmed.is_some_and(asks)) {
        return Ok(Err(ReminderOutcome::UnconfirmedTime));
    }
    // Whether it is still open is asked of the row: another device may be dismissing it.
    let is_confirmed = suggestions::confirm(tx, suggestion.id, new).await?;
    Ok(if is_confirmed { Ok(suggestion) } else { Err(ReminderOutcome::ExpiredSuggestion) })
}

async fn check_room(tx: &mut Tx, user: UserId) -> Stored<()> {
    // Each of the two is answered by an index alone, also beside a thousand rows.
    const COUNT: &str = "SELECT (SELECT COUNT(*) FROM reminders WHERE user_id = $1) \
        - (SELECT COUNT(*) FROM reminders WHERE user_id = $1 AND deleted_at IS NOT NULL) AS n";
    let query = sqlx::query(COUNT).bind(user.to_string());
    if Columns::new("reminders", &query.fetch_one(&mut **tx).await?).count("n")? >= REMINDERS_MAX {
        return Err(StorageError::TooMany { what: "reminders", most: REMINDERS_MAX });
    }
    Ok(())
}

async fn insert(tx: &mut Tx, new: &NewReminder, suggestion: Option<&Suggestion>) -> Stored<Reminder> {
    const INSERT: &str = "INSERT INTO reminders \
        (id, user_id, number, title, description, remind_at, offset_minutes, is_completed, suggestion_id, \
        priority, origin, created_at, updated_at) \
        VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM reminders WHERE user_id = $2), \
        $3, $4, $5, $6, 0, $7, $8, $9, $10, $10) RETURNING *";
    let priority = new.priority.or(suggestion.map(|suggestion| suggestion.priority));
    let query = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.user.to_string())
        .bind(text(&new.title))
        .bind(text(&new.description))
        .bind(micros(new.time))
        .bind(i64::from(new.offset_minutes))
        .bind(new.suggestion.map(|id| id.to_string()))
        .bind(priority.unwrap_or(Priority::Medium).word())
        .bind(new.origin.word())
        .bind(micros(new.at));
    reminder(&query.fetch_one(&mut **tx).await?)
}

pub(super) async fn list(db: &Database, user: UserId) -> Stored<Vec<Reminder>> {
    const SELECT: &str = "SELECT * FROM reminders WHERE user_id = $1 AND deleted_at IS NULL \
        ORDER BY remind_at, created_at, number, id LIMIT $2 + 0";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(i64::from(REMINDERS_MAX));
    query.all(db).await?.iter().map(reminder).collect()
}

pub(super) async fn find(db: &Database, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
    const FIND: &str = "SELECT * FROM reminders WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL";
    let query = sqlx::query(FIND);
    let query = query.bind(id.to_string()).bind(user.to_string());
    query.first(db).await?.as_ref().map(reminder).transpose()
}

pub(super) async fn update(db: &Database, change: ReminderChange) -> Stored<Option<Reminder>> {
    const UPDATE: &str = "UPDATE reminders SET title = COALESCE($3, title), \
        description = COALESCE($4, description), remind_at = COALESCE($5, remind_at), \
        offset_minutes = COALESCE($6, offset_minutes), is_completed = COALESCE($7, is_completed), \
        priority = COALESCE($8, priority), origin = $9, updated_at = $10 \
        WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING *";
    let mut tx = db.write().await?;
    let row = sqlx::query(UPDATE)
        .bind(change.id.to_string())
        .bind(change.user.to_string())
        .bind(change.title.as_deref().map(text))
        .bind(change.description.as_deref().map(text))
        .bind(change.time.map(|(time, _)| micros(time)))
        .bind(change.time.map(|(_, offset)| i64::from(offset)))
        .bind(change.is_completed.map(i64::from))
        .bind(change.priority.map(Word::word))
        .bind(Origin::User.word())
        .bind(micros(change.at))
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    row.as_ref().map(reminder).transpose()
}

pub(super) async fn delete(db: &Database, (user, id): (UserId, ReminderId), at: Timestamp) -> Stored<bool> {
    const DELETE: &str = "UPDATE reminders SET deleted_at = $3 \
        WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL";
    let mut tx = db.write().await?;
    forget(&mut tx, user, at).await?;
    let query = sqlx::query(DELETE).bind(id.to_string()).bind(user.to_string()).bind(micros(at));
    let done = query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Blanks what can no longer be brought back, and removes what nobody can mean any more.
async fn forget(tx: &mut Tx, user: UserId, at: Timestamp) -> Stored<()> {
    const BLANK: &str = "UPDATE reminders SET title = '', description = '' \
        WHERE user_id = $1 AND deleted_at <= $2 AND title <> ''";
    const REMOVE: &str = "DELETE FROM reminders WHERE user_id = $1 AND deleted_at <= $2";
    for (sql, life) in [(BLANK, TEXT_LIFE), (REMOVE, TOMBSTONE_LIFE)] {
        let before = at.saturating_sub(life).unwrap_or(Timestamp::MIN);
        sqlx::query(sql).bind(user.to_string()).bind(micros(before)).execute(&mut **tx).await?;
    }
    replies::forget(tx, user, at.saturating_sub(TEXT_LIFE).unwrap_or(Timestamp::MIN)).await
}

pub(super) async fn restore(db: &Database, asked: Restoration) -> Stored<RestoreOutcome> {
    const SELECT: &str = "SELECT * FROM reminders WHERE id = $1 AND user_id = $2";
    const RESTORE: &str = "UPDATE reminders SET deleted_at = NULL, origin = $2 WHERE id = $1 RETURNING *";
    let mut tx = db.write().await?;
    users::hold(&mut tx, asked.user).await?;
    let query = sqlx::query(SELECT).bind(asked.id.to_string()).bind(asked.user.to_string());
    let Some(row) = query.fetch_optional(&mut *tx).await? else { return Ok(RestoreOutcome::Unknown) };
    match Columns::new("reminders", &row).maybe_time("deleted_at")? {
        None => return Ok(RestoreOutcome::There(reminder(&row)?)),
        Some(deleted) if deleted <= asked.deleted_since => return Ok(RestoreOutcome::TooLate),
        Some(_) => {}
    }
    check_room(&mut tx, asked.user).await?;
    // Whoever wants it back has made it their own: no rollback takes it again.
    let query = sqlx::query(RESTORE).bind(asked.id.to_string()).bind(Origin::User.word());
    let restored = query.fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(RestoreOutcome::There(reminder(&restored)?))
}

pub(super) async fn roll_back(db: &Database, asked: Rollback) -> Stored<Vec<ReminderId>> {
    const ROLL_BACK: &str = "UPDATE reminders SET deleted_at = $3 WHERE user_id = $1 AND created_at >= $2 \
        AND origin = $4 AND deleted_at IS NULL AND id = COALESCE($5, id) RETURNING id";
    let mut tx = db.write().await?;
    let query = sqlx::query(ROLL_BACK)
        .bind(asked.user.to_string())
        .bind(micros(asked.made_since))
        .bind(micros(asked.at))
        .bind(Origin::Policy.word())
        .bind(asked.only.map(|id| id.to_string()));
    let rows = query.fetch_all(&mut *tx).await?;
    let gone = rows.iter().map(|row| Columns::new("reminders", row).id("id")).collect::<Stored<Vec<_>>>()?;
    tx.commit().await?;
    Ok(gone)
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
        priority: row.word("priority")?,
        origin: row.word("origin")?,
        suggestion: row.maybe_id("suggestion_id")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
