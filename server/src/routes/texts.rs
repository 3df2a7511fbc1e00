//! `/api/admin/languages/{code}/texts`: what users read, edited without a new release.
//!
//! Every edit is a version; the one before stays and can be restored. A text about safety is shown only when two
//! administrators stand behind it: whoever wrote it and another one. Edits are in force like changes of languages.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::{guard::Admin, trail::Told},
    chat::Hub,
    error::ApiError,
    ids::UserId,
    languages::{Order, Origin, Watch, validate_language_code},
    llm::Meter,
    state::Rows,
    storage::{Approved, NewText, TextPlace, TextState, TextVersion},
    texts::Texts as _,
};

/// What stands in the place of every variable in a preview.
const PREVIEW_VALUE: &str = "7";

/// Texts of messages that may decide about a life.
const SAFETY: &str = "safety.";

/// One text in a list.
#[derive(Serialize)]
pub(crate) struct TextView {
    key: String,
    /// As users read it now, with [`PREVIEW_VALUE`] for its variables.
    text: String,
    origin: Origin,
    variables: Vec<String>,
    /// How many administrators must stand behind an edit.
    approvals_needed: u32,
}

/// An edit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The Fluent pattern, or `null` for the text of the file again; it must be one of them.
    #[serde(deserialize_with = "Option::deserialize")]
    text: Option<String>,
}

/// A version, after something was done with it.
#[derive(Serialize)]
pub(crate) struct VersionView {
    #[serde(flatten)]
    version: TextVersion,
    /// Why nothing is in force yet, if it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `GET /api/admin/languages/{code}/texts`
pub(crate) async fn list(
    _: Admin,
    State(watch): State<Watch>,
    input::Path(code): input::Path<String>,
) -> Result<axum::Json<Vec<TextView>>, ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    let view = |(key, shape): (&str, &crate::texts::shape::Shape)| {
        let values: Vec<_> =
            shape.variables.iter().map(|name| (name.as_str(), PREVIEW_VALUE.to_owned())).collect();
        TextView {
            key: key.to_owned(),
            text: watch.languages().text(key, &code, &values).text,
            origin: watch.languages().origin(&code, key),
            variables: shape.variables.iter().cloned().collect(),
            approvals_needed: approvals_needed(key),
        }
    };
    Ok(axum::Json(watch.languages().keys().map(view).collect()))
}

/// `GET /api/admin/languages/{code}/texts/{key}`: its versions, newest first.
pub(crate) async fn versions(
    _: Admin,
    State(watch): State<Watch>,
    State(rows): State<Rows>,
    input::Path((code, key)): input::Path<(String, String)>,
) -> Result<axum::Json<Vec<TextVersion>>, ApiError> {
    let place = place(&watch, (code, key)).await?;
    Ok(axum::Json(rows.storage.text_versions(place).await?))
}

/// `POST /api/admin/languages/{code}/texts/{key}/preview`: changes nothing.
pub(crate) async fn preview(
    _: Admin,
    State(watch): State<Watch>,
    (input::Path((code, key)), input::Json(edit)): (input::Path<(String, String)>, input::Json<Edit>),
) -> Result<axum::Json<Value>, ApiError> {
    let place = place(&watch, (code, key)).await?;
    let text = edit.text.unwrap_or_default();
    checked(&watch, &place.key, &text)?;
    let shown = watch.languages().preview(&place.key, &text, PREVIEW_VALUE);
    Ok(axum::Json(json!({"text": shown})))
}

/// `PUT /api/admin/languages/{code}/texts/{key}`
pub(crate) async fn edit(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(rows): State<Rows>,
    (input::Path((code, key)), input::Json(edit)): (input::Path<(String, String)>, input::Json<Edit>),
) -> Result<axum::Json<VersionView>, ApiError> {
    let place = place(&watch, (code, key)).await?;
    store((&watch, &rows), place, (edit.text, admin.id)).await
}

/// `POST /api/admin/languages/{code}/texts/{key}/versions/{version}/restore`: an old version as a new one.
pub(crate) async fn restore(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(rows): State<Rows>,
    input::Path((code, key, version)): input::Path<(String, String, u32)>,
) -> Result<axum::Json<VersionView>, ApiError> {
    let place = place(&watch, (code, key)).await?;
    let versions = rows.storage.text_versions(place.clone()).await?;
    let old = versions.into_iter().find(|old| old.version == version);
    let old = old.ok_or_else(|| ApiError::not_found("version"))?;
    store((&watch, &rows), place, (old.body, admin.id)).await
}

/// `POST /api/admin/languages/{code}/texts/{key}/versions/{version}/approve`
pub(crate) async fn approve(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(rows): State<Rows>,
    input::Path((code, key, version)): input::Path<(String, String, u32)>,
) -> Result<axum::Json<VersionView>, ApiError> {
    let place = place(&watch, (code, key)).await?;
    // What was sound when it was written may have lost its variables since.
    let versions = rows.storage.text_versions(place.clone()).await?;
    let text =
        versions.into_iter().find(|waiting| waiting.version == version).and_then(|waiting| waiting.body);
    if let Some(text) = text {
        checked(&watch, &place.key, &text)?;
    }
    let by: (UserId, Timestamp) = (admin.id, rows.clock.wall());
    match rows.storage.approve_text(place.clone(), version, by).await? {
        Approved::Counted(stored) => {
            tracing::info!(admin = %admin.id, ?place, version, state = ?stored.state, "text approved");
            Ok(in_force(&watch, stored).await)
        }
        Approved::Unknown => Err(ApiError::not_found("version")),
        Approved::Decided => {
            let text = "this version is live or was; restore it to show it again";
            Err(ApiError::new(StatusCode::CONFLICT, "already_decided", text))
        }
        Approved::Before => {
            let text = "you stand behind this version already; another administrator must approve of it";
            Err(ApiError::new(StatusCode::CONFLICT, "approved_before", text))
        }
    }
}

/// `POST /api/admin/languages/{code}/texts/{key}/draft`: lets the model translate. The draft is read by nobody before
/// an administrator approves of it, two for a text about safety.
pub(crate) async fn draft(
    Admin(admin): Admin,
    State(hub): State<Hub>,
    State(rows): State<Rows>,
    input::Path(path): input::Path<(String, String)>,
) -> Result<(Extension<Told>, Response), ApiError> {
    let place = place(hub.languages(), path).await?;
    let order = Order::new(&place.key, &place.language).ok_or_else(|| ApiError::not_found("text"))?;
    let meter = Meter::default();
    let answer = hub.ask(&order.prompt, &meter).await;
    let tokens = u32::try_from(meter.take()).unwrap_or(u32::MAX);
    metrics::counter!("translation_tokens_total").increment(u64::from(tokens));
    tracing::info!(admin = %admin.id, ?place, tokens, "draft of a translation paid for");
    let stored = match answer {
        Ok(answer) => keep_draft((&hub, &rows), place, (answer.trim(), tokens)).await,
        Err(failure) => {
            tracing::warn!(%failure, "model gave no draft");
            let text = "the model gave no draft; try again in a moment, or write the text yourself";
            Err(ApiError::new(StatusCode::BAD_GATEWAY, "no_draft", text))
        }
    };
    // What was paid stands in the audit log also where nothing came of it.
    Ok((Extension(Told(format!("{tokens} tokens"))), stored.into_response()))
}

async fn keep_draft(
    (hub, rows): (&Hub, &Rows),
    place: TextPlace,
    (body, tokens): (&str, u32),
) -> Result<(StatusCode, axum::Json<VersionView>), ApiError> {
    checked(hub.languages(), &place.key, body)?;
    let (at, approvals_needed) = (rows.clock.wall(), approvals_needed(&place.key));
    let new = NewText { place, body: Some(body.to_owned()), author: None, tokens, approvals_needed, at };
    Ok((StatusCode::CREATED, in_force(hub.languages(), rows.storage.add_text(new).await?).await))
}

async fn store(
    (watch, rows): (&Watch, &Rows),
    place: TextPlace,
    (body, author): (Option<String>, UserId),
) -> Result<axum::Json<VersionView>, ApiError> {
    if let Some(text) = &body {
        checked(watch, &place.key, text)?;
    }
    let approvals_needed = approvals_needed(&place.key);
    let at = rows.clock.wall();
    let new = NewText { place: place.clone(), body, author: Some(author), tokens: 0, approvals_needed, at };
    let stored = rows.storage.add_text(new).await?;
    tracing::info!(admin = %author, ?place, approvals_needed, "text edited");
    Ok(in_force(watch, stored).await)
}

/// Puts a version in force here if it is live, and tells if that could not be done.
async fn in_force(watch: &Watch, version: TextVersion) -> axum::Json<VersionView> {
    let problem = match version.state {
        TextState::Live => watch.reload().await.err().map(|error| error.to_string()),
        TextState::Waiting | TextState::Replaced => None,
    };
    axum::Json(VersionView { version, problem })
}

fn approvals_needed(key: &str) -> u32 {
    if key.starts_with(SAFETY) { 2 } else { 1 }
}

/// Finds the place of a text; only languages of the table have texts.
async fn place(watch: &Watch, (language, key): (String, String)) -> Result<TextPlace, ApiError> {
    watch.fresh().await;
    known(watch, &language)?;
    if watch.languages().keys().any(|(known, _)| known == key) {
        return Ok(TextPlace { language, key });
    }
    Err(ApiError::not_found("text"))
}

/// Refuses the code of a language that is not in the table.
pub(super) fn known(watch: &Watch, code: &str) -> Result<(), ApiError> {
    let code = validate_language_code(code)?;
    match watch.languages().set().get(code.as_str()) {
        Some(_) => Ok(()),
        None => Err(ApiError::not_found("language")),
    }
}

/// Refuses a text that users must not read, with all that is wrong with it.
fn checked(watch: &Watch, key: &str, text: &str) -> Result<(), ApiError> {
    let problems = match watch.languages().check(key, text) {
        None => return Err(ApiError::not_found("text")),
        Some(Ok(())) => return Ok(()),
        Some(Err(problems)) => problems,
    };
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_text", problems.join("; "));
    Err(error.field("problems", problems))
}
