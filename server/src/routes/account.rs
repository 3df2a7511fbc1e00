//! `/api/auth`: register, log in, who am I.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;

use super::input;
use crate::{
    accounts::{Accounts, Login, Registration, SignedIn},
    app::guard::CurrentUser,
    error::ApiError,
    ids::UserId,
    storage::User,
};

/// A user as shown to that user.
#[derive(Serialize)]
pub(crate) struct UserView {
    id: UserId,
    email: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    language: String,
    is_admin: bool,
}

/// A token and whose it is.
#[derive(Serialize)]
pub(crate) struct SignedInView {
    token: String,
    user: UserView,
}

/// `POST /api/auth/register`
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    input::Json(form): input::Json<Registration>,
) -> Result<(StatusCode, axum::Json<SignedInView>), ApiError> {
    let signed_in = accounts.register(form).await?;
    Ok((StatusCode::CREATED, axum::Json(signed_in.into())))
}

/// `POST /api/auth/login`
pub(crate) async fn login(
    State(accounts): State<Accounts>,
    input::Json(form): input::Json<Login>,
) -> Result<axum::Json<SignedInView>, ApiError> {
    Ok(axum::Json(accounts.login(form).await?.into()))
}

/// `GET /api/auth/me`
pub(crate) async fn me(CurrentUser(user): CurrentUser) -> axum::Json<UserView> {
    axum::Json(user.into())
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            display_name: user.display_name,
            language: user.language,
            is_admin: user.is_admin,
        }
    }
}

impl From<SignedIn> for SignedInView {
    fn from(signed_in: SignedIn) -> Self {
        Self { token: signed_in.token, user: signed_in.user.into() }
    }
}
