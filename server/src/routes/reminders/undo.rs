//! Taking back: what was deleted comes back, and what the server made goes.
//!
//! Both are bounded by `calendar.undo_window`. Rolling back takes away exactly what was made by the user's standing
//! wish and not touched since: a reminder that the user has changed, or done, is the user's own. What is rolled back
//! is deleted, so that it can be brought back too.

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, ReminderView, WHAT, time};
use crate::{
    app::guard::CurrentUser,
    config::span,
    error::ApiError,
    routes::input,
    storage::{Restoration, RestoreOutcome, Rollback},
};

/// `POST /api/reminders/{id}/restore`
pub(crate) async fn restore(
    State(desk): State<Desk>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<Json<ReminderView>, ApiError> {
    let at = desk.rows.clock.wall();
    let restoration =
        Restoration { id: input::id(&id, WHAT)?, user: user.id, deleted_since: since(&desk, at) };
    match desk.rows.storage.restore_reminder(restoration).await? {
        RestoreOutcome::There(reminder) => Ok(Json(reminder.into())),
        RestoreOutcome::Unknown => Err(ApiError::not_found(WHAT)),
        RestoreOutcome::TooLate => {
            let window = span::print(desk.settings.undo_window);
            let text = format!("this reminder was deleted more than {window} ago; make a new one");
            Err(ApiError::new(StatusCode::GONE, "too_late", text))
        }
    }
}

/// What shall be rolled back: one by its id, or all since a time.
#[derive(Deserialize)]
pub(crate) struct Which {
    id: Option<String>,
    since: Option<String>,
}

/// `POST /api/reminders/rollback`
pub(crate) async fn roll_back(
    State(desk): State<Desk>,
    CurrentUser(user): CurrentUser,
    input::Json(which): input::Json<Which>,
) -> Result<Json<Value>, ApiError> {
    let at = desk.rows.clock.wall();
    let earliest = since(&desk, at);
    let (only, made_since) = match (which.id, which.since) {
        (Some(id), None) => (Some(input::id(&id, WHAT)?), earliest),
        (None, Some(text)) => (None, time::read("since", &text)?.0),
        _ => {
            return Err(ApiError::invalid(
                "name what to roll back: either `id`, or `since` for all from a time on",
            ));
        }
    };
    if made_since < earliest {
        let window = span::print(desk.settings.undo_window);
        let text = format!("`since` is more than {window} ago; delete older reminders one by one");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_late", text));
    }
    let removed =
        desk.rows.storage.roll_back_reminders(Rollback { user: user.id, made_since, only, at }).await?;
    if only.is_some() && removed.is_empty() {
        return Err(ApiError::not_found("reminder of the server's making that you have not changed"));
    }
    Ok(Json(json!({"removed": removed})))
}

/// Since when what was done can be undone.
fn since(desk: &Desk, at: Timestamp) -> Timestamp {
    at.saturating_sub(desk.settings.undo_window).unwrap_or(Timestamp::MIN)
}
