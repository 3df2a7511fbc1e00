//! Replies to requests that may be repeated, kept in the transaction of what they tell of.
//!
//! Invariant: a reply is there exactly if what it tells of was done. Whoever asks holds the user, so that of
//! two requests with one key the second finds the reply of the first.

use jiff::Timestamp;

use super::{
    Tx,
    row::{Columns, micros},
};
use crate::{
    ids::UserId,
    storage::{NewReminder, ReminderOutcome, Request, Stored},
};

/// The one route that keeps its replies.
const ROUTE: &str = "POST /api/reminders";

/// Returns what the request was answered before, if it was. Forgets what is older than it may be.
pub(super) async fn find(tx: &mut Tx, user: UserId, request: &Request) -> Stored<Option<ReminderOutcome>> {
    const SELECT: &str =
        "SELECT fingerprint, body FROM replies WHERE user_id = $1 AND route = $2 AND key = $3";
    forget(tx, user, request.kept_since).await?;
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(ROUTE).bind(request.key.clone());
    let Some(row) = query.fetch_optional(&mut **tx).await? else { return Ok(None) };
    let row = Columns::new("replies", &row);
    let is_same = row.text("fingerprint")? == request.fingerprint;
    Ok(Some(if is_same {
        ReminderOutcome::Repeated(row.text("body")?)
    } else {
        ReminderOutcome::OtherRequest
    }))
}

/// Forgets the replies that were kept by then.
pub(super) async fn forget(tx: &mut Tx, user: UserId, kept_since: Timestamp) -> Stored<()> {
    const FORGET: &str = "DELETE FROM replies WHERE user_id = $1 AND stored_at <= $2";
    sqlx::query(FORGET).bind(user.to_string()).bind(micros(kept_since)).execute(&mut **tx).await?;
    Ok(())
}

/// Keeps the reply to a request.
pub(super) async fn keep(tx: &mut Tx, new: &NewReminder, request: &Request, body: String) -> Stored<()> {
    const INSERT: &str = "INSERT INTO replies (user_id, route, key, fingerprint, body, stored_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(INSERT)
        .bind(new.user.to_string())
        .bind(ROUTE)
        .bind(request.key.clone())
        .bind(request.fingerprint.clone())
        .bind(body)
        .bind(micros(new.at))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
