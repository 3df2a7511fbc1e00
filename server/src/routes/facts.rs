//! `/api/users/me/facts`: what is known about a user, in the user's own hands.
//!
//! With a `version` a write is done over exactly that version. Without one the newest write wins, and none
//! that was acknowledged before it is lost from the history.

use std::{ops::RangeInclusive, time::Duration};

use axum::{
    Json,
    extract::{FromRef, State},
    http::StatusCode,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::CurrentUser,
    error::ApiError,
    facts::{self, Forgetting, Forgotten, Outcome, Pen, Statement},
    ids::UserId,
    state::{AppState, Rows},
    storage::{Expected, Fact, FactOutcome, FactRevision, FactSource, SharedStorage},
};

/// Longest key, in characters.
const KEY_MAX: usize = 100;

/// Longest value, in characters.
const VALUE_MAX: usize = 1000;

/// Weeks of a pregnancy that can be stated.
const WEEKS: RangeInclusive<u32> = 1..=42;

/// What users say of themselves is taken as certain.
const CONFIDENCE: f64 = 1.0;

/// How long a user whose writes collide all the time should wait.
const BUSY_WAIT: Duration = Duration::from_secs(1);

/// A fact to be written.
#[derive(Deserialize)]
pub(crate) struct Writing {
    value: String,
    /// The version that is believed to be stored; 0 for none.
    #[serde(default)]
    version: Option<i64>,
}

/// A fact as shown to its user.
#[derive(Serialize)]
pub(crate) struct FactView {
    key: String,
    value: String,
    confidence: f64,
    source: FactSource,
    version: i64,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// Whether the calendar has run past it, so that it has to be asked for again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    overdue: bool,
}

/// The version that is believed to be stored, if its user cares.
#[derive(Deserialize)]
pub(crate) struct Believed {
    #[serde(default)]
    version: Option<i64>,
}

/// An earlier value of a fact.
#[derive(Serialize)]
pub(crate) struct RevisionView {
    version: i64,
    value: String,
    confidence: f64,
    source: FactSource,
    at: Timestamp,
    /// Whether the fact was closed with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

/// `GET /api/users/me/facts`
pub(crate) async fn list(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Vec<FactView>>, ApiError> {
    let now = rows.clock.wall();
    let facts = rows.storage.facts(user.id, now).await?;
    Ok(Json(facts.into_iter().map(|fact| FactView::new(fact, now)).collect()))
}

/// `GET /api/users/me/facts/{key}`
pub(crate) async fn read(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
    input::Path(key): input::Path<String>,
) -> Result<Json<FactView>, ApiError> {
    check_key(&key)?;
    let now = rows.clock.wall();
    let fact = rows.storage.fact(user.id, &key, now).await?;
    fact.map(|fact| Json(FactView::new(fact, now))).ok_or_else(|| ApiError::not_found("fact"))
}

/// `GET /api/users/me/facts/{key}/history`
pub(crate) async fn history(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
    input::Path(key): input::Path<String>,
) -> Result<Json<Vec<RevisionView>>, ApiError> {
    check_key(&key)?;
    let history = storage.fact_history(user.id, &key).await?;
    Ok(Json(history.into_iter().map(RevisionView::from).collect()))
}

/// `PUT /api/users/me/facts/{key}`
pub(crate) async fn write(
    State(pen): State<Pen>,
    CurrentUser(user): CurrentUser,
    input::Path(key): input::Path<String>,
    input::Json(form): input::Json<Writing>,
) -> Result<Json<FactView>, ApiError> {
    check_key(&key)?;
    check_value(&key, &form.value)?;
    let expected = form.version.map(|version| match version {
        0 => Expected::Absent,
        version => Expected::Version(version),
    });
    let now = pen.now();
    let statement = Edit { user: user.id, key: &key, value: &form.value }.statement(now);
    let fact = match expected {
        Some(expected) => match pen.write_over(&statement, expected).await? {
            FactOutcome::Written(fact) => fact,
            FactOutcome::Conflict(current) => return Err(conflict(current, now)),
        },
        None => match pen.write(statement).await? {
            Outcome::Written(fact) | Outcome::Kept(fact) => fact,
            Outcome::Contended => return Err(contended()),
        },
    };
    Ok(Json(FactView::new(fact, now)))
}

/// `DELETE /api/users/me/facts/{key}`, with `?version=` of just that version.
///
/// The fact is closed: it is in no prompt and no list from now on. Its history stays.
pub(crate) async fn delete(
    State(pen): State<Pen>,
    CurrentUser(user): CurrentUser,
    input::Path(key): input::Path<String>,
    input::Query(believed): input::Query<Believed>,
) -> Result<Json<Value>, ApiError> {
    check_key(&key)?;
    let now = pen.now();
    match pen.forget(Forgetting { user: user.id, key: &key, version: believed.version }).await? {
        Forgotten::Closed(fact) => Ok(Json(json!({"message": "fact deleted", "version": fact.version}))),
        Forgotten::Absent => Err(ApiError::not_found("fact")),
        Forgotten::Conflict(fact) => Err(stale_delete(fact, now)),
        Forgotten::Contended => Err(contended()),
    }
}

/// What a user wants to be known.
#[derive(Clone, Copy)]
struct Edit<'a> {
    user: UserId,
    key: &'a str,
    value: &'a str,
}

impl Edit<'_> {
    fn statement(self, at: Timestamp) -> Statement {
        Statement {
            user: self.user,
            key: self.key.to_owned(),
            value: self.value.to_owned(),
            confidence: CONFIDENCE,
            source: FactSource::UserEdit,
            at,
        }
    }
}

impl FromRef<AppState> for Pen {
    fn from_ref(state: &AppState) -> Self {
        state.hub.facts().clone()
    }
}

fn contended() -> ApiError {
    let text = "this fact is being written by too many at once; please try again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).after(BUSY_WAIT)
}

fn conflict(current: Option<Fact>, now: Timestamp) -> ApiError {
    let text = if current.is_some() {
        "another version of this fact is stored; see `fact`, and send its `version` to write over it"
    } else {
        "no version of this fact is stored; send `version` 0 to write the first one, or leave it out"
    };
    ApiError::new(StatusCode::CONFLICT, "version_conflict", text)
        .field("fact", current.map(|fact| FactView::new(fact, now)))
}

fn stale_delete(current: Fact, now: Timestamp) -> ApiError {
    let text = "another version of this fact is stored; see `fact`, and send its `version` to delete it";
    ApiError::new(StatusCode::CONFLICT, "version_conflict", text).field("fact", FactView::new(current, now))
}

fn check_key(key: &str) -> Result<(), ApiError> {
    let begins = key.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if begins && rest && key.len() <= KEY_MAX {
        return Ok(());
    }
    let text = format!(
        "a key begins with a small letter, goes on with small letters, digits and `_`, and has at most {KEY_MAX} characters"
    );
    Err(ApiError::invalid(text))
}

fn check_value(key: &str, value: &str) -> Result<(), ApiError> {
    if value.trim().is_empty() {
        return Err(ApiError::invalid("`value` must not be empty"));
    }
    input::at_most("value", value, VALUE_MAX)?;
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let is_week = digits && value.parse().is_ok_and(|week| WEEKS.contains(&week));
    if key != "pregnancy_week" || is_week {
        return Ok(());
    }
    let (first, last) = (WEEKS.start(), WEEKS.end());
    Err(ApiError::invalid(format!("`pregnancy_week` must be a whole number from {first} to {last}")))
}

impl FactView {
    /// Shows the value that holds at `now`: a week of pregnancy moves on.
    fn new(fact: Fact, now: Timestamp) -> Self {
        Self {
            value: facts::shown(&fact, now).into_owned(),
            overdue: facts::is_overdue(&fact, now),
            key: fact.key,
            confidence: fact.confidence,
            source: fact.source,
            version: fact.version,
            updated_at: fact.updated_at,
            expires_at: fact.expires_at,
        }
    }
}

impl From<FactRevision> for RevisionView {
    fn from(revision: FactRevision) -> Self {
        Self {
            version: revision.version,
            value: revision.value,
            confidence: revision.confidence,
            source: revision.source,
            at: revision.at,
            ended: revision.is_end,
        }
    }
}
