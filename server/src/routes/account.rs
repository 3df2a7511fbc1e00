//! `/api/auth`: register, log in, who am I.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;

use super::input;
use crate::{
    accounts::{AccountError, Login, Registration, Renewed, SignedIn},
    app::{
        guard::{CurrentUser, Stranger},
        limits,
    },
    audit::{Act, Audit},
    error::ApiError,
    ids::{DeviceId, UserId},
    limit::Caller,
    sockets::Sockets,
    state::Door,
    storage::{Actor, User},
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
    State(door): State<Door>,
    stranger: Stranger,
    input::Json(form): input::Json<Registration>,
) -> Result<(StatusCode, axum::Json<SignedInView>), ApiError> {
    limits::per_try(&door, stranger.caller, &form.account()).await?;
    let signed_in = door.accounts.register(form.on(stranger.agent)).await;
    note(&door.audit, ("register", &signed_in), stranger.caller).await;
    Ok((StatusCode::CREATED, axum::Json(signed_in?.into())))
}

/// `POST /api/auth/login`
pub(crate) async fn login(
    State(door): State<Door>,
    State(sockets): State<Sockets>,
    stranger: Stranger,
    input::Json(form): input::Json<Login>,
) -> Result<axum::Json<SignedInView>, ApiError> {
    limits::per_try(&door, stranger.caller, &form.account()).await?;
    let signed_in = door.accounts.login(form.on(stranger.agent)).await;
    note(&door.audit, ("login", &signed_in), stranger.caller).await;
    let signed_in = signed_in?;
    // With too many devices the one that was seen first has made place.
    sockets.look_again(signed_in.user.id);
    Ok(axum::Json(signed_in.into()))
}

/// Keeps who came in, and who tried to.
async fn note(audit: &Audit, (action, signed_in): (&str, &Result<SignedIn, AccountError>), caller: Caller) {
    let (actor, subject, outcome) = match signed_in {
        Ok(signed_in) => (Actor::User(signed_in.user.id), Some(signed_in.user.id), "ok"),
        Err(AccountError::Refused { known }) => (Actor::Nobody, *known, "refused"),
        Err(AccountError::Taken) => (Actor::Nobody, None, "taken"),
        // What was not tried, or could not be.
        Err(_) => return,
    };
    let target = signed_in.as_ref().map(|signed_in| signed_in.renewed.device.to_string());
    let act = Act::new(actor, action, outcome);
    audit
        .record(Act { subject, target: target.unwrap_or_default(), address: Some(caller.address), ..act })
        .await;
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
