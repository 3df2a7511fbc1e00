//! `/ws/chat`: the upgrade; what follows is the chat's.

use std::sync::Arc;

use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::Response,
};

use crate::{app::guard::Visitor, chat::Hub, config::Config, error::ApiError, state::Sockets};

/// Buffer that each open socket keeps for reading, in bytes: sockets are many and messages small.
const READ_BUFFER: usize = 4 * 1024;

/// `GET /ws/chat`
pub(crate) async fn open(
    State(hub): State<Hub>,
    State((config, sockets)): State<(Arc<Config>, Sockets)>,
    visitor: Visitor,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| {
        let text = "this address speaks WebSocket; connect with a WebSocket client";
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", text)
    })?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(config.http.frame_bytes)
        .max_frame_size(config.http.frame_bytes);
    let running = sockets.running.token();
    Ok(upgrade.on_upgrade(move |socket| async move {
        tokio::select! {
            () = hub.serve(socket, visitor.caller, visitor.user) => {}
            () = sockets.cut.cancelled() => {}
        }
        drop(running);
    }))
}
