//! `/api/conversations`: past sessions and their messages, deleting one, and ending the present one.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::CurrentUser,
    chat::Hub,
    error::ApiError,
    ids::{MessageId, SessionId},
    storage::{Message, MessageKind, Page, Role, Session, SessionReason, SharedStorage},
};

const WHAT: &str = "conversation";

/// How many rows come without a `limit`.
const LIMIT_DEFAULT: u32 = 50;

/// How many rows come at most.
const LIMIT_MAX: u32 = 200;

/// Which messages of a session.
#[derive(Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    after: u32,
    limit: Option<u32>,
}

/// Which sessions of a user.
#[derive(Deserialize)]
pub(crate) struct Earlier {
    before: Option<u32>,
    limit: Option<u32>,
}

/// A session as shown to its user.
#[derive(Serialize)]
pub(crate) struct SessionView {
    id: SessionId,
    number: u32,
    reason: SessionReason,
    started_at: Timestamp,
    active_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    messages: u32,
}

/// A message as shown to its user.
#[derive(Serialize)]
pub(crate) struct MessageView {
    id: MessageId,
    position: u32,
    role: Role,
    kind: MessageKind,
    language: String,
    content: String,
    created_at: Timestamp,
    /// The message that was asked instead, or whose answer stands instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<MessageId>,
}

/// `GET /api/conversations?before=&limit=`, newest first.
pub(crate) async fn list(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
    input::Query(earlier): input::Query<Earlier>,
) -> Result<Json<Vec<SessionView>>, ApiError> {
    let sessions = storage.sessions(user.id, earlier.before, bounded(earlier.limit)).await?;
    Ok(Json(sessions.into_iter().map(SessionView::from).collect()))
}

/// `GET /api/conversations/{id}/messages?after=&limit=`: a session of somebody else is treated as none.
pub(crate) async fn messages(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
    input::Query(part): input::Query<Part>,
) -> Result<Json<Vec<MessageView>>, ApiError> {
    let session = input::id(&id, WHAT)?;
    let page = Page { user: user.id, session, after: part.after, limit: bounded(part.limit) };
    let messages = storage.messages(page).await?;
    if messages.is_empty() && !storage.has_session(user.id, session).await? {
        return Err(ApiError::not_found(WHAT));
    }
    Ok(Json(messages.into_iter().map(MessageView::from).collect()))
}

/// `DELETE /api/conversations/{id}`: all that was said in it goes with it, and all devices are told. The one that goes on
/// ends with it; an answer that runs there is shown to its end and not kept.
pub(crate) async fn delete(
    State(storage): State<SharedStorage>,
    State(hub): State<Hub>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<Json<Value>, ApiError> {
    let session = input::id(&id, WHAT)?;
    if !storage.delete_session(user.id, session).await? {
        return Err(ApiError::not_found(WHAT));
    }
    hub.deleted(user.id, session);
    Ok(Json(json!({"message": "conversation deleted"})))
}

/// `POST /api/conversations/current/end`: ending what has ended is no error.
pub(crate) async fn end_current(
    State(hub): State<Hub>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Value>, ApiError> {
    let ended = hub.end_session(user.id).await?;
    Ok(Json(json!({"ended": ended.is_some(), "conversation_id": ended})))
}

fn bounded(limit: Option<u32>) -> u32 {
    limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            number: session.number,
            reason: session.reason,
            started_at: session.started_at,
            active_at: session.active_at,
            ended_at: session.ended_at,
            messages: session.messages,
        }
    }
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            position: message.position,
            role: message.role,
            kind: message.kind,
            language: message.language,
            content: message.text,
            created_at: message.at,
            replaced_by: message.replaced_by,
        }
    }
}
