//! Suggestions: limited when offered, used at most once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros, text},
    users,
};
use crate::{
    ids::{SuggestionId, UserId},
    storage::{
        NewReminder, NewSuggestion, Offered, Reception, Stored, Suggestion, SuggestionLimits, TypeReception,
    },
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn offer(db: &Database, new: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, new.user).await?;
    if let Some(refused) = refusal(&mut tx, &new, limits).await? {
        tx.rollback().await?;
        return Ok(refused);
    }
    let stored = insert(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(Offered::Stored(stored))
}

async fn refusal(tx: &mut Tx, new: &NewSuggestion, limits: SuggestionLimits) -> Stored<Option<Offered>> {
    const PENDING: &str = "SELECT COUNT(*) AS n FROM suggestions WHERE user_id = $1 AND kind = $2 \
        AND confirmed_at IS NULL AND dismissed_at IS NULL AND expires_at > $3";
    let query = sqlx::query(PENDING).bind(new.user.to_string()).bind(new.kind.word()).bind(micros(new.at));
    let pending = Columns::new("suggestions", &query.fetch_one(&mut **tx).await?).count("n")?;
    if pending >= limits.pending_per_type {
        return Ok(Some(Offered::Pending));
    }
    if count_since(tx, new, HOUR).await? >= limits.per_hour {
        return Ok(Some(Offered::HourFull));
    }
    if count_since(tx, new, DAY).await? >= limits.per_day {
        return Ok(Some(Offered::DayFull));
    }
    if open_reminders(tx, new).await? >= limits.open_reminders {
        return Ok(Some(Offered::OpenFull));
    }
    if received_by(tx, new, limits.quality_window).await?.quality() < limits.quality_min {
        return Ok(Some(Offered::Unwanted));
    }
    let pause = limits.paused_until(&over(tx, new, limits.ignored_in_row).await?);
    Ok(pause.filter(|until| *until > new.at).map(|_| Offered::Paused))
}

/// Counts the reminders that came from suggestions, lie ahead and are not done.
async fn open_reminders(tx: &mut Tx, new: &NewSuggestion) -> Stored<u32> {
    const OPEN: &str = "SELECT COUNT(*) AS n FROM reminders WHERE user_id = $1 \
        AND suggestion_id IS NOT NULL AND is_completed = 0 AND deleted_at IS NULL AND remind_at > $2";
    let query = sqlx::query(OPEN).bind(new.user.to_string()).bind(micros(new.at));
    Columns::new("reminders", &query.fetch_one(&mut **tx).await?).count("n")
}

/// Returns the newest suggestions that were answered or have expired.
async fn over(tx: &mut Tx, new: &NewSuggestion, most: u32) -> Stored<Vec<Suggestion>> {
    const OVER: &str = "SELECT * FROM suggestions WHERE user_id = $1 AND (confirmed_at IS NOT NULL \
        OR dismissed_at IS NOT NULL OR expires_at <= $2) ORDER BY suggested_at DESC, expires_at DESC, id \
        LIMIT $3 + 0";
    let query = sqlx::query(OVER).bind(new.user.to_string()).bind(micros(new.at)).bind(i64::from(most));
    query.fetch_all(&mut **tx).await?.iter().map(suggestion).collect()
}

/// Counts what became of suggestions that were made after `$1`, by `$2`; what is none of the three is pending.
macro_rules! select_received {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            "COUNT(confirmed_at) AS confirmed, COUNT(dismissed_at) AS dismissed, \
            COUNT(CASE WHEN confirmed_at IS NULL AND dismissed_at IS NULL AND expires_at <= $2 THEN 1 END) AS ignored \
            FROM suggestions WHERE suggested_at > $1",
            $rest
        )
    };
}

/// Returns how a user received what was suggested of the same type.
async fn received_by(tx: &mut Tx, new: &NewSuggestion, window: Duration) -> Stored<Reception> {
    const SELECT: &str = select_received!("", " AND user_id = $3 AND kind = $4");
    let since = new.at.saturating_sub(window).unwrap_or(Timestamp::MIN);
    let query = sqlx::query(SELECT)
        .bind(micros(since))
        .bind(micros(new.at))
        .bind(new.user.to_string())
        .bind(new.kind.word());
    reception(&Columns::new("suggestions", &query.fetch_one(&mut **tx).await?))
}

pub(super) async fn received(db: &Database, since: Timestamp, at: Timestamp) -> Stored<Vec<TypeReception>> {
    const SELECT: &str = select_received!("kind, COUNT(*) AS offered, ", " GROUP BY kind ORDER BY kind");
    let rows = sqlx::query(SELECT).bind(micros(since)).bind(micros(at)).all(db).await?;
    let received = rows.iter().map(|row| {
        let row = Columns::new("suggestions", row);
        let over = reception(&row)?;
        let answered = over.confirmed.saturating_add(over.dismissed).saturating_add(over.ignored);
        let pending = row.count("offered")?.saturating_sub(answered);
        Ok(TypeReception { kind: row.word("kind")?, pending, over })
    });
    received.collect()
}

fn reception(row: &Columns<'_>) -> Stored<Reception> {
    let count = |name| row.count(name);
    Ok(Reception {
        confirmed: count("confirmed")?,
        dismissed: count("dismissed")?,
        ignored: count("ignored")?,
    })
}

async fn count_since(tx: &mut Tx, new: &NewSuggestion, window: SignedDuration) -> Stored<u32> {
    const RECENT: &str = "SELECT COUNT(*) AS n FROM suggestions WHERE user_id = $1 AND suggested_at > $2";
    let since = new.at.saturating_sub(window).unwrap_or(Timestamp::MIN);
    let query = sqlx::query(RECENT).bind(new.user.to_string()).bind(micros(since));
    Columns::new("suggestions", &query.fetch_one(&mut **tx).await?).count("n")
}

async fn insert(tx: &mut Tx, new: &NewSuggestion) -> Stored<Suggestion> {
    const INSERT: &str = "INSERT INTO suggestions \
        (id, user_id, kind, priority, title, description, suggested_time, suggested_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *";
    let query = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.user.to_string())
        .bind(new.kind.word())
        .bind(new.priority.word())
        .bind(text(&new.title))
        .bind(text(&new.description))
        .bind(micros(new.suggested_time))
        .bind(micros(new.at))
        .bind(micros(new.expires_at));
    suggestion(&query.fetch_one(&mut **tx).await?)
}

pub(super) async fn pending(db: &Database, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>> {
    const SELECT: &str = "SELECT * FROM suggestions WHERE user_id = $1 AND confirmed_at IS NULL \
        AND dismissed_at IS NULL AND expires_at > $2 ORDER BY suggested_at, kind, id";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(micros(at));
    query.all(db).await?.iter().map(suggestion).collect()
}

pub(super) async fn dismiss(
    db: &Database,
    user: UserId,
    id: SuggestionId,
    at: Timestamp,
) -> Stored<Option<Suggestion>> {
    const UPDATE: &str = "UPDATE suggestions SET dismissed_at = $3 WHERE id = $1 AND user_id = $2 \
        AND confirmed_at IS NULL AND dismissed_at IS NULL AND expires_at > $3 RETURNING *";
    let mut tx = db.write().await?;
    let query = sqlx::query(UPDATE).bind(id.to_string()).bind(user.to_string()).bind(micros(at));
    let row = query.fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    row.as_ref().map(suggestion).transpose()
}

/// Finds a suggestion of this user.
pub(super) async fn find(tx: &mut Tx, id: SuggestionId, user: UserId) -> Stored<Option<Suggestion>> {
    let query = sqlx::query("SELECT * FROM suggestions WHERE id = $1 AND user_id = $2");
    let row = query.bind(id.to_string()).bind(user.to_string()).fetch_optional(&mut **tx).await?;
    row.as_ref().map(suggestion).transpose()
}

/// Confirms a suggestion by a reminder; `false` when it cannot be confirmed (any more).
pub(super) async fn confirm(tx: &mut Tx, id: SuggestionId, reminder: &NewReminder) -> Stored<bool> {
    const UPDATE: &str = "UPDATE suggestions SET confirmed_at = $3, reminder_id = $4 \
        WHERE id = $1 AND user_id = $2 \
        AND confirmed_at IS NULL AND dismissed_at IS NULL AND expires_at > $3";
    let done = sqlx::query(UPDATE)
        .bind(id.to_string())
        .bind(reminder.user.to_string())
        .bind(micros(reminder.at))
        .bind(reminder.id.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

fn suggestion(row: &AnyRow) -> Stored<Suggestion> {
    let row = Columns::new("suggestions", row);
    Ok(Suggestion {
        id: row.id("id")?,
        user: row.id("user_id")?,
        kind: row.word("kind")?,
        priority: row.word("priority")?,
        title: row.text("title")?,
        description: row.text("description")?,
        suggested_time: row.time("suggested_time")?,
        suggested_at: row.time("suggested_at")?,
        expires_at: row.time("expires_at")?,
        confirmed_at: row.maybe_time("confirmed_at")?,
        dismissed_at: row.maybe_time("dismissed_at")?,
        reminder: row.maybe_id("reminder_id")?,
    })
}
