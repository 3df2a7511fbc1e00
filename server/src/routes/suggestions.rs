//! `/api/suggestions`: what the chat proposed and the user may still take or leave.
//! `/api/admin/suggestions`: how users received what was proposed to them (F80).

use std::sync::Arc;

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::{Admin, CurrentUser},
    chat::{Hub, v1::Fate},
    config::Config,
    error::ApiError,
    ids::SuggestionId,
    state::Rows,
    storage::{Priority, Reception, Suggestion, SuggestionType, TypeReception},
};

const WHAT: &str = "open suggestion";

/// A suggestion as shown to its user.
#[derive(Serialize)]
pub(crate) struct SuggestionView {
    id: SuggestionId,
    #[serde(rename = "type")]
    kind: SuggestionType,
    priority: Priority,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    suggested_time: Timestamp,
    suggested_at: Timestamp,
    expires_at: Timestamp,
}

/// How suggestions were received in the last `calendar.quality_window`.
#[derive(Serialize)]
pub(crate) struct QualityView {
    since: Timestamp,
    types: Vec<TypeView>,
}

/// How suggestions of one type were received.
#[derive(Serialize)]
struct TypeView {
    #[serde(rename = "type")]
    kind: SuggestionType,
    pending: u32,
    confirmed: u32,
    dismissed: u32,
    ignored: u32,
    quality: f64,
}

/// `GET /api/suggestions`
pub(crate) async fn pending(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Vec<SuggestionView>>, ApiError> {
    let pending = rows.storage.pending_suggestions(user.id, rows.clock.wall()).await?;
    Ok(Json(pending.into_iter().map(SuggestionView::from).collect()))
}

/// `POST /api/suggestions/{id}/dismiss`
pub(crate) async fn dismiss(
    State(rows): State<Rows>,
    State(hub): State<Hub>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<Json<Value>, ApiError> {
    let dismissed =
        rows.storage.dismiss_suggestion(user.id, input::id(&id, WHAT)?, rows.clock.wall()).await?;
    let suggestion = dismissed.ok_or_else(|| ApiError::not_found(WHAT))?;
    hub.decided(user.id, suggestion.id, Fate::Dismissed);
    Ok(Json(json!({"message": "suggestion dismissed"})))
}

/// `GET /api/admin/suggestions`
pub(crate) async fn received(
    _: Admin,
    State(rows): State<Rows>,
    State(config): State<Arc<Config>>,
) -> Result<Json<QualityView>, ApiError> {
    let at = rows.clock.wall();
    let since = at.saturating_sub(config.calendar.quality_window).unwrap_or(Timestamp::MIN);
    let received = rows.storage.suggestions_received(since, at).await?;
    let of = |kind| received.iter().find(|received| received.kind == kind).copied();
    let none = |kind| TypeReception { kind, pending: 0, over: Reception::default() };
    let types = SuggestionType::ALL.map(|kind| TypeView::from(of(kind).unwrap_or_else(|| none(kind))));
    Ok(Json(QualityView { since, types: types.into() }))
}

impl From<TypeReception> for TypeView {
    fn from(TypeReception { kind, pending, over }: TypeReception) -> Self {
        let Reception { confirmed, dismissed, ignored } = over;
        Self { kind, pending, confirmed, dismissed, ignored, quality: over.quality() }
    }
}

impl From<Suggestion> for SuggestionView {
    fn from(suggestion: Suggestion) -> Self {
        Self {
            id: suggestion.id,
            kind: suggestion.kind,
            priority: suggestion.priority,
            title: suggestion.title,
            description: suggestion.description,
            suggested_time: suggestion.suggested_time,
            suggested_at: suggestion.suggested_at,
            expires_at: suggestion.expires_at,
        }
    }
}
