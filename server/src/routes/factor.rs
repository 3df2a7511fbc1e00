//! `/api/auth/second-factor`: set one up, and give its one-time passwords.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::{
        guard::{CurrentUser, Visitor},
        limits,
    },
    error::ApiError,
    state::Door,
};

/// A second factor that waits for its first password.
#[derive(Serialize)]
pub(crate) struct OfferView {
    secret: String,
    url: String,
}

/// A one-time password.
#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

/// `POST /api/auth/second-factor`
pub(crate) async fn offer(
    State(door): State<Door>,
    CurrentUser(user): CurrentUser,
) -> Result<(StatusCode, axum::Json<OfferView>), ApiError> {
    let offered = door.accounts.offer_factor(&user).await?;
    let view = OfferView { secret: offered.secret, url: offered.address };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// `POST /api/auth/second-factor/verify`
pub(crate) async fn verify(
    State(door): State<Door>,
    visitor: Visitor,
    input::Json(form): input::Json<Code>,
) -> Result<axum::Json<Value>, ApiError> {
    limits::per_code(&door, visitor.caller).await?;
    door.accounts.give_factor(&visitor.pass, &form.code).await?;
    Ok(axum::Json(json!({"message": "second factor given"})))
}
