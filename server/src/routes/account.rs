//! `/api/auth`: register, log in, who am I.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use serde::Serialize;

use super::input;
use crate::{
    accounts::{Accounts, Login, Registration, Renewed, SignedIn},
    app::guard::CurrentUser,
    error::ApiError,
    ids::{DeviceId, UserId},
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

/// Tokens and whose they are. `token` and `user` are what existing clients know.
#[derive(Serialize)]
pub(crate) struct SignedInView {
    token: String,
    user: UserView,
    #[serde(flatten)]
    renewed: RenewedView,
}

/// Tokens of clients that renew them. Lives are in seconds.
#[derive(Serialize)]
pub(crate) struct RenewedView {
    access_token: String,
    expires_in: u64,
    refresh_token: String,
    refresh_expires_in: u64,
    device_id: DeviceId,
}

/// `POST /api/auth/register`
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    headers: HeaderMap,
    input::Json(form): input::Json<Registration>,
) -> Result<(StatusCode, axum::Json<SignedInView>), ApiError> {
    let signed_in = accounts.register(form.on(agent(&headers))).await?;
    Ok((StatusCode::CREATED, axum::Json(signed_in.into())))
}

/// `POST /api/auth/login`
pub(crate) async fn login(
    State(accounts): State<Accounts>,
    headers: HeaderMap,
    input::Json(form): input::Json<Login>,
) -> Result<axum::Json<SignedInView>, ApiError> {
    Ok(axum::Json(accounts.login(form.on(agent(&headers))).await?.into()))
}

/// Returns what a client calls itself.
fn agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).map(str::to_owned)
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
        Self { token: signed_in.token, user: signed_in.user.into(), renewed: signed_in.renewed.into() }
    }
}

impl From<Renewed> for RenewedView {
    fn from(renewed: Renewed) -> Self {
        Self {
            access_token: renewed.access_token,
            expires_in: renewed.access_life.as_secs(),
            refresh_token: renewed.refresh_token,
            refresh_expires_in: renewed.refresh_life.as_secs(),
            device_id: renewed.device,
        }
    }
}
