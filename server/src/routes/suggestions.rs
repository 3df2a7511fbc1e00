//! `/api/suggestions`: what the chat proposed and the user may still take or leave.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::CurrentUser,
    chat::{Hub, v1::Fate},
    error::ApiError,
    ids::SuggestionId,
    state::Rows,
    storage::{Priority, Suggestion, SuggestionType},
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
