//! `/api/users/me/calendar-feed` and `/calendar/{secret}`: reminders for programs that fetch a calendar.
//!
//! Such programs cannot log in, so that the address itself is the secret: whoever has it reads the reminders and
//! nothing else. It is shown once; only its hash is stored. A new one, or none, ends the old one at once.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::input;
use crate::{
    app::guard::CurrentUser,
    calendar::feed,
    error::ApiError,
    hash::sha256,
    state::Rows,
    storage::{NewFeed, SharedStorage},
};

const WHAT: &str = "calendar feed";

/// Where feeds lie. What follows is secret, and stays out of the log.
pub(crate) const FEEDS: &str = "/calendar/";

/// Length of a secret, in characters: two random UUIDs, 244 random bits.
const SECRET_LENGTH: usize = 64;

/// `GET /api/users/me/calendar-feed`: whether there is one; its address is not known to us.
pub(crate) async fn read(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Value>, ApiError> {
    let since = storage.feed(user.id).await?.ok_or_else(|| ApiError::not_found(WHAT))?;
    Ok(Json(json!({"created_at": since})))
}

/// `POST /api/users/me/calendar-feed`: a new address in place of an earlier one.
pub(crate) async fn open(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let at = rows.clock.wall();
    rows.storage.open_feed(NewFeed { user: user.id, secret_hash: sha256(secret.as_bytes()), at }).await?;
    Ok((StatusCode::CREATED, Json(json!({"path": format!("{FEEDS}{secret}.ics"), "created_at": at}))))
}

/// `DELETE /api/users/me/calendar-feed`
pub(crate) async fn close(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Value>, ApiError> {
    if !storage.close_feed(user.id).await? {
        return Err(ApiError::not_found(WHAT));
    }
    Ok(Json(json!({"message": "calendar feed closed"})))
}

/// `GET /calendar/{secret}.ics`
pub(crate) async fn fetch(
    State(storage): State<SharedStorage>,
    input::Path(name): input::Path<String>,
) -> Result<Response, ApiError> {
    let secret = name.strip_suffix(".ics").unwrap_or(&name);
    let is_one = secret.len() == SECRET_LENGTH && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    let owner = if is_one { storage.feed_owner(&sha256(secret.as_bytes())).await? } else { None };
    let reminders = storage.reminders(owner.ok_or_else(|| ApiError::not_found(WHAT))?).await?;
    Ok(([(header::CONTENT_TYPE, feed::MEDIA_TYPE)], feed::write(&reminders)).into_response())
}
