//! `/api/auth`: renew tokens, log out, see and end log-ins, get a ticket for a socket.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{account::RenewedView, input};
use crate::{
    accounts::{AccountError, Accounts},
    app::guard::{CurrentPass, CurrentUser, Stranger},
    audit::Act,
    config::Config,
    error::ApiError,
    ids::DeviceId,
    sockets::Sockets,
    state::Door,
    storage::{Actor, Device},
};

const WHAT: &str = "device";

/// What renews tokens.
#[derive(Deserialize)]
pub(crate) struct Refresh {
    refresh_token: String,
}

/// A device as shown to its user.
#[derive(Serialize)]
pub(crate) struct DeviceView {
    id: DeviceId,
    name: String,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

/// A pass for one socket.
#[derive(Serialize)]
pub(crate) struct TicketView {
    ticket: String,
    /// In seconds.
    expires_in: u64,
}

/// `POST /api/auth/refresh`
pub(crate) async fn refresh(
    State(door): State<Door>,
    State(sockets): State<Sockets>,
    stranger: Stranger,
    input::Json(form): input::Json<Refresh>,
) -> Result<axum::Json<RenewedView>, ApiError> {
    let renewed = door.accounts.refresh(&form.refresh_token).await;
    if let Err(AccountError::Reused { user }) = &renewed {
        sockets.look_again(*user);
        let act = Act::new(Actor::Nobody, "refresh token used twice", "device logged out");
        let address = Some(stranger.caller.address);
        door.audit.record(Act { subject: Some(*user), address, ..act }).await;
    }
    Ok(axum::Json(renewed?.1.into()))
}

/// `POST /api/auth/logout`
pub(crate) async fn logout(
    State(accounts): State<Accounts>,
    State(sockets): State<Sockets>,
    CurrentPass(pass): CurrentPass,
) -> Result<axum::Json<Value>, ApiError> {
    accounts.logout(&pass).await?;
    sockets.look_again(pass.user.id);
    Ok(axum::Json(json!({"message": "logged out"})))
}

/// `POST /api/auth/logout-all`
pub(crate) async fn logout_all(
    State(accounts): State<Accounts>,
    State(sockets): State<Sockets>,
    CurrentUser(user): CurrentUser,
) -> Result<axum::Json<Value>, ApiError> {
    let ended = accounts.logout_all(user.id).await?;
    sockets.look_again(user.id);
    Ok(axum::Json(json!({"message": "logged out everywhere", "devices": ended})))
}

/// `GET /api/auth/devices`
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    CurrentPass(pass): CurrentPass,
) -> Result<axum::Json<Vec<DeviceView>>, ApiError> {
    let current = pass.device.map(|device| device.id);
    let devices = accounts.devices(pass.user.id).await?;
    Ok(axum::Json(devices.into_iter().map(|device| DeviceView::new(device, current)).collect()))
}

/// `DELETE /api/auth/devices/{id}`
pub(crate) async fn end(
    State(accounts): State<Accounts>,
    State(sockets): State<Sockets>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<axum::Json<Value>, ApiError> {
    if !accounts.end_device(user.id, input::id(&id, WHAT)?).await? {
        return Err(ApiError::not_found(WHAT));
    }
    sockets.look_again(user.id);
    Ok(axum::Json(json!({"message": "device logged out"})))
}

/// `POST /api/auth/ws-ticket`
pub(crate) async fn ticket(
    State(accounts): State<Accounts>,
    State(config): State<Arc<Config>>,
    CurrentPass(pass): CurrentPass,
) -> Result<axum::Json<TicketView>, ApiError> {
    let ticket = accounts.ticket(&pass).await?;
    Ok(axum::Json(TicketView { ticket, expires_in: config.auth.ticket_life.as_secs() }))
}

impl DeviceView {
    fn new(device: Device, current: Option<DeviceId>) -> Self {
        Self {
            id: device.id,
            name: device.name,
            created_at: device.created_at,
            last_seen_at: device.seen_at,
            expires_at: device.expires_at,
            current: Some(device.id) == current,
        }
    }
}
