//! `/api/users/me/language`: which language a user wants, which one is to be had, and how it came so.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};

use super::input;
use crate::{
    app::guard::{Admin, CurrentUser},
    chat::Hub,
    error::ApiError,
    ids::UserId,
    languages::Watch,
    state::Rows,
    storage::{NewPreference, Preference, PreferenceSource},
    texts::{
        Texts as _,
        lookup::{TAG_BYTES_MAX, is_of, is_tag},
    },
};

/// A user's language.
#[derive(Serialize)]
pub(crate) struct PreferenceView {
    /// What the user wants, as a tag such as `pt-BR`.
    preferred: String,
    /// What the user gets: the code of an enabled language.
    language: String,
    /// Whether that is another language.
    used_fallback: bool,
    /// Every change, oldest first.
    history: Vec<Preference>,
}

/// A wish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    language: String,
}

/// `GET /api/users/me/language`
pub(crate) async fn read(
    CurrentUser(user): CurrentUser,
    State(watch): State<Watch>,
    State(rows): State<Rows>,
) -> Result<axum::Json<PreferenceView>, ApiError> {
    watch.fresh().await;
    view((&watch, &rows), (user.id, user.language)).await
}

/// `PUT /api/users/me/language`
pub(crate) async fn write(
    CurrentUser(user): CurrentUser,
    State(hub): State<Hub>,
    State(rows): State<Rows>,
    input::Json(wish): input::Json<Wish>,
) -> Result<axum::Json<PreferenceView>, ApiError> {
    prefer((&hub, &rows), user.id, (wish.language, PreferenceSource::User)).await
}

/// `PUT /api/admin/users/{id}/language`
pub(crate) async fn write_for(
    Admin(admin): Admin,
    State(hub): State<Hub>,
    State(rows): State<Rows>,
    (input::Path(id), input::Json(wish)): (input::Path<String>, input::Json<Wish>),
) -> Result<axum::Json<PreferenceView>, ApiError> {
    let user: UserId = input::id(&id, "user")?;
    if rows.storage.user(user).await?.is_none() {
        return Err(ApiError::not_found("user"));
    }
    let view = prefer((&hub, &rows), user, (wish.language, PreferenceSource::Admin)).await?;
    tracing::info!(admin = %admin.id, %user, "language of a user changed");
    Ok(view)
}

async fn prefer(
    (hub, rows): (&Hub, &Rows),
    user: UserId,
    (to, source): (String, PreferenceSource),
) -> Result<axum::Json<PreferenceView>, ApiError> {
    if !is_tag(&to) {
        let text = format!(
            "`language` must be a tag such as `fr` or `pt-BR`: letters and digits joined by `-`, \
             at most {TAG_BYTES_MAX} characters"
        );
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_language_tag", text));
    }
    hub.languages().fresh().await;
    let change = NewPreference { user, to: to.clone(), source, at: rows.clock.wall() };
    rows.storage.prefer_language(change).await?;
    let axum::Json(view) = view((hub.languages(), rows), (user, to)).await?;
    hub.prefers(user, view.preferred.clone(), view.language.clone());
    Ok(axum::Json(view))
}

async fn view(
    (watch, rows): (&Watch, &Rows),
    (user, preferred): (UserId, String),
) -> Result<axum::Json<PreferenceView>, ApiError> {
    let history = rows.storage.language_preferences(user).await?;
    let language = watch.languages().resolve(&preferred);
    let used_fallback = !is_of(&preferred, &language);
    Ok(axum::Json(PreferenceView { preferred, language, used_fallback, history }))
}
