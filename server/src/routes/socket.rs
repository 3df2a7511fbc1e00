//! `/ws/chat`: the upgrade; what follows is the chat's.

use axum::{
    extract::{
        State,
        ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

use crate::{
    app::guard::Visitor,
    chat::{Guest, v1},
    config::Http,
    error::ApiError,
    sockets::{Seat, Whose},
    state::AppState,
};

/// Buffer that each open socket keeps for reading, in bytes: sockets are many and messages small. A longer message gets a
/// longer buffer.
const READ_BUFFER: usize = 512;

/// So many bytes are gathered before they are written.
const WRITE_BUFFER: usize = 1024;

/// Most bytes that wait in this process to be written to a socket: the longest frame, and answers to pings. Answers
/// that do not fit are left out, and a frame that does not fit ends a socket whose client does not read.
const WRITE_BUFFER_MAX: usize = 2 * 1024 * 1024;

/// `GET /ws/chat`
pub(crate) async fn open(
    State(state): State<AppState>,
    (visitor, headers): (Visitor, HeaderMap),
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let http = &state.parts.config.http;
    check_origin(&headers, &http.allowed_origins)?;
    let upgrade = upgrade.map_err(|_| {
        let text = "this address speaks WebSocket; connect with a WebSocket client";
        ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", text)
    })?;
    let Visitor { pass, caller } = visitor;
    let seat =
        state.sockets.seat((pass.user.id, caller.address), http).map_err(|whose| no_seat(whose, http))?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(http.frame_bytes)
        .max_frame_size(http.frame_bytes)
        .protocols([v1::NAME]);
    let is_v1 = upgrade.selected_protocol().is_some();
    let (user, abuse) = (pass.user.clone(), state.abuse.clone());
    let leave = Box::pin(state.accounts.clone().until_left(pass, seat.word()));
    let guest = Box::new(Guest { caller, user, abuse, leave });
    // All that goes on lies in one place on the heap, and the upgrade holds no more than the way there.
    Ok(upgrade.on_upgrade(move |socket| Box::pin(serve(state, Box::new(socket), (guest, seat), is_v1))))
}

/// Serves a socket until it ends, or is cut.
async fn serve(state: AppState, socket: Box<WebSocket>, (guest, seat): (Box<Guest>, Seat), is_v1: bool) {
    let hub = &state.hub;
    let serving =
        async { if is_v1 { hub.serve_v1(socket, guest).await } else { hub.serve(socket, guest).await } };
    tokio::select! {
        () = serving => {}
        () = state.sockets.cut.cancelled() => {}
    }
    drop(seat);
}

fn no_seat(whose: Whose, http: &Http) -> ApiError {
    let text = match whose {
        Whose::User => {
            let most = http.sockets_per_user;
            format!("you have {most} open connections, as many as there may be; close one of them")
        }
        Whose::Address => {
            let most = http.sockets_per_address;
            format!("your network has {most} open connections, as many as there may be; try again later")
        }
    };
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets", text)
}

/// Keeps pages of strangers out: a browser tells which page asks, and any page may open a socket. Who is no browser
/// tells nothing.
fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), ApiError> {
    let is_allowed = |origin: &[u8]| allowed.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(origin));
    match headers.get(header::ORIGIN) {
        Some(origin) if !allowed.is_empty() && !is_allowed(origin.as_bytes()) => {
            let text = "this page may not connect; its origin must be among those that the server allows";
            Err(ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", text))
        }
        _ => Ok(()),
    }
}
