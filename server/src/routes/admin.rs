//! `/api/admin`: who may administrate, who is kept out, keys for programs, and the audit log.

use std::time::Duration;

use axum::{Extension, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    accounts::{Accounts, scope},
    app::{guard::Admin, trail::Subject},
    error::ApiError,
    ids::{ApiKeyId, UserId},
    state::Rows,
    storage::{AUDIT_PAGE_MAX, Actor, ApiKey, AuditRow, Block, RoleOutcome, SharedStorage},
};

/// Longest name of a key, in characters.
const NAME_MAX: usize = 100;

/// How long a key is good for that names no time, in days.
const KEY_DAYS: u32 = 90;

/// How long a key is good for at most, in days.
const KEY_DAYS_MAX: u32 = 365;

/// How many audit rows come without a `limit`.
const AUDIT_PAGE: u32 = 50;

/// A user who is kept out.
#[derive(Serialize)]
pub(crate) struct BlockView {
    user_id: UserId,
    reason: String,
    blocked_at: Timestamp,
    until: Timestamp,
}

/// `GET /api/admin/blocks`
pub(crate) async fn blocks(
    _: Admin,
    State(rows): State<Rows>,
) -> Result<axum::Json<Vec<BlockView>>, ApiError> {
    let blocks = rows.storage.blocks(rows.clock.wall()).await?;
    Ok(axum::Json(blocks.into_iter().map(BlockView::from).collect()))
}

/// `DELETE /api/admin/blocks/{user}`
pub(crate) async fn unblock(
    _: Admin,
    State(rows): State<Rows>,
    input::Path(user): input::Path<String>,
) -> Result<(Extension<Subject>, axum::Json<Value>), ApiError> {
    let user = input::id(&user, "block")?;
    if !rows.storage.unblock(user, rows.clock.wall()).await? {
        return Err(ApiError::not_found("block"));
    }
    Ok((Extension(Subject(user)), axum::Json(json!({"message": "block lifted"}))))
}

/// A change of role.
#[derive(Deserialize)]
pub(crate) struct Role {
    is_admin: bool,
}

/// `PUT /api/admin/users/{id}/role`
pub(crate) async fn set_role(
    _: Admin,
    State(storage): State<SharedStorage>,
    input::Path(id): input::Path<String>,
    input::Json(role): input::Json<Role>,
) -> Result<(Extension<Subject>, axum::Json<Value>), ApiError> {
    match storage.set_admin(input::id(&id, "user")?, role.is_admin).await? {
        RoleOutcome::Changed(user) => {
            let view = json!({"id": user.id, "is_admin": user.is_admin});
            Ok((Extension(Subject(user.id)), axum::Json(view)))
        }
        RoleOutcome::LastAdmin => {
            let text = "this is the last administrator; make somebody else one first";
            Err(ApiError::new(StatusCode::CONFLICT, "last_admin", text))
        }
        RoleOutcome::Unknown => Err(ApiError::not_found("user")),
    }
}

/// A key to be made.
#[derive(Deserialize)]
pub(crate) struct NewKey {
    name: String,
    scopes: Vec<String>,
    expires_in_days: Option<u32>,
}

/// A key as shown to administrators. The key itself is shown when it is made, and never again.
#[derive(Serialize)]
pub(crate) struct KeyView {
    id: ApiKeyId,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    user_id: UserId,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// `GET /api/admin/api-keys`
pub(crate) async fn keys(
    _: Admin,
    State(storage): State<SharedStorage>,
) -> Result<axum::Json<Vec<KeyView>>, ApiError> {
    let keys = storage.api_keys().await?;
    Ok(axum::Json(keys.into_iter().map(|key| KeyView::new(key, None)).collect()))
}

/// `POST /api/admin/api-keys`
pub(crate) async fn add_key(
    Admin(admin): Admin,
    State(accounts): State<Accounts>,
    input::Json(form): input::Json<NewKey>,
) -> Result<(StatusCode, axum::Json<KeyView>), ApiError> {
    let name = form.name.trim().to_owned();
    input::at_most("name", &name, NAME_MAX)?;
    if name.is_empty() {
        return Err(ApiError::invalid("`name` is empty; say what the key is for"));
    }
    let days = form.expires_in_days.unwrap_or(KEY_DAYS);
    if !(1..=KEY_DAYS_MAX).contains(&days) {
        return Err(ApiError::invalid(format!("`expires_in_days` must be 1 to {KEY_DAYS_MAX}")));
    }
    let scopes = scope::checked(form.scopes).map_err(ApiError::invalid)?;
    let life = Duration::from_hours(24 * u64::from(days));
    let (key, shown) = accounts.new_api_key(admin.id, (name, scopes), life).await?;
    Ok((StatusCode::CREATED, axum::Json(KeyView::new(key, Some(shown)))))
}

/// `DELETE /api/admin/api-keys/{id}`
pub(crate) async fn remove_key(
    _: Admin,
    State(storage): State<SharedStorage>,
    input::Path(id): input::Path<String>,
) -> Result<axum::Json<Value>, ApiError> {
    if !storage.remove_api_key(input::id(&id, "API key")?).await? {
        return Err(ApiError::not_found("API key"));
    }
    Ok(axum::Json(json!({"message": "API key removed"})))
}

/// Which part of the audit log.
#[derive(Deserialize)]
pub(crate) struct Part {
    before: Option<u64>,
    limit: Option<u32>,
}

/// A page of the audit log, newest first.
#[derive(Serialize)]
pub(crate) struct AuditView {
    rows: Vec<RowView>,
    /// What to send as `before` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// One row.
#[derive(Serialize)]
pub(crate) struct RowView {
    position: u64,
    at: Timestamp,
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_id: Option<UserId>,
    action: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    outcome: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
}

/// `GET /api/admin/audit?before=&limit=`
pub(crate) async fn audit(
    _: Admin,
    State(storage): State<SharedStorage>,
    input::Query(part): input::Query<Part>,
) -> Result<axum::Json<AuditView>, ApiError> {
    let limit = part.limit.unwrap_or(AUDIT_PAGE);
    if !(1..=AUDIT_PAGE_MAX).contains(&limit) {
        return Err(ApiError::invalid(format!("`limit` must be 1 to {AUDIT_PAGE_MAX}")));
    }
    let rows = storage.audit(part.before, limit).await?;
    let next = rows.last().map(|row| row.position).filter(|position| *position > 1);
    Ok(axum::Json(AuditView { rows: rows.into_iter().map(RowView::from).collect(), next }))
}

impl From<Block> for BlockView {
    fn from(block: Block) -> Self {
        Self { user_id: block.user, reason: block.reason, blocked_at: block.at, until: block.until }
    }
}

impl KeyView {
    fn new(key: ApiKey, shown: Option<String>) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            user_id: key.user,
            created_at: key.created_at,
            expires_at: key.expires_at,
            key: shown,
        }
    }
}

impl From<AuditRow> for RowView {
    fn from(row: AuditRow) -> Self {
        let (position, entry) = (row.position, row.entry);
        let (actor, actor_id) = match entry.actor {
            Actor::Nobody => ("nobody", None),
            Actor::User(user) => ("user", Some(user)),
            Actor::Admin(user) => ("admin", Some(user)),
            Actor::ApiKey(user) => ("api_key", Some(user)),
            Actor::Server => ("server", None),
            Actor::Policy => ("policy", None),
            Actor::Operator => ("operator", None),
        };
        Self {
            position,
            at: entry.at,
            actor,
            actor_id,
            subject_id: entry.subject,
            action: entry.action,
            target: entry.target,
            outcome: entry.outcome,
            address: entry.address,
        }
    }
}
