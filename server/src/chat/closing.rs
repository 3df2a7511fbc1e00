//! How a connection ends, as its client sees it.
//!
//! Codes from 4000 on tell a client to come back (with a pause that grows and varies), those from 4500 on not to.
//!
//! Invariant: closing takes bounded time, whatever the client does.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use clock::{Clock, timeout};
use futures_util::SinkExt;

/// How long a client may take to take the close frame and to confirm it.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// How a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The client has gone: nothing to say.
    Silent,
    /// The client has said goodbye, and its frame is to be returned.
    Answered,
    /// With a code and its reason.
    With(u16, &'static str),
}

/// A message or frame is over the limit.
pub(super) const TOO_BIG: Closing = Closing::With(close_code::SIZE, "frame is too big");
/// A binary frame holds something else than text.
pub(super) const NOT_TEXT: Closing = Closing::With(close_code::UNSUPPORTED, "frame holds no text");
/// The server ends.
pub(super) const AWAY: Closing = Closing::With(close_code::AWAY, "server stops");
/// No sign of life came after a ping.
pub(super) const NO_PONG: Closing = Closing::With(4004, "no pong");
/// Too much of what the user sent had to be refused.
pub(super) const FLOODED: Closing = Closing::With(4003, "too many requests");
/// The token has expired: the client comes again with a new one.
pub(super) const EXPIRED: Closing = Closing::With(4005, "token has expired");
/// The device was logged out: the client does not come again.
pub(super) const REVOKED: Closing = Closing::With(4501, "logged out");

/// The server ends; for devices of `chat.v1`, which are to come back.
pub(super) const SHUTDOWN: Closing = Closing::With(4001, "server stops");
/// A frame was not taken in time.
pub(super) const SLOW: Closing = Closing::With(4002, "client is too slow");
/// What was missed is not here any more.
pub(super) const INSUFFICIENT: Closing = Closing::With(4006, "state is lost");
/// The first frame is no `resume`.
pub(super) const BAD_REQUEST: Closing = Closing::With(4502, "first frame must be `resume`");
/// No first frame came.
pub(super) const STALE: Closing = Closing::With(4503, "no first frame");

const NOT_UTF8: Closing = Closing::With(close_code::INVALID, "text is not UTF-8");
const BAD_FRAME: Closing = Closing::With(close_code::PROTOCOL, "frame breaks the protocol");

/// How the server may close a connection of v0 with a code.
pub(super) const ON_V0: [Closing; 9] =
    [AWAY, FLOODED, NO_PONG, EXPIRED, REVOKED, BAD_FRAME, NOT_TEXT, NOT_UTF8, TOO_BIG];

/// How the server may close a connection of `chat.v1` with a code.
pub(super) const ON_V1: [Closing; 13] = [
    SHUTDOWN,
    SLOW,
    FLOODED,
    NO_PONG,
    EXPIRED,
    INSUFFICIENT,
    REVOKED,
    BAD_REQUEST,
    STALE,
    BAD_FRAME,
    NOT_TEXT,
    NOT_UTF8,
    TOO_BIG,
];

/// Returns whether a client that is told this code is to connect again.
pub(super) const fn is_worth_coming_back(code: u16) -> bool {
    matches!(code, close_code::AWAY | 4000..4500)
}

impl Closing {
    /// Returns the code and the reason that a client is told.
    pub(super) const fn told(&self) -> Option<(u16, &'static str)> {
        match *self {
            Self::With(code, reason) => Some((code, reason)),
            Self::Silent | Self::Answered => None,
        }
    }

    /// Sorts what reading has failed with.
    ///
    /// The type of the cause belongs to a crate that axum does not show, so that its text decides.
    pub(super) fn of(error: &axum::Error) -> Self {
        let text = error.to_string();
        let starts = |prefix| text.starts_with(prefix);
        if starts("Space limit exceeded") {
            TOO_BIG
        } else if starts("UTF-8 encoding error") {
            NOT_UTF8
        } else if starts("WebSocket protocol error") && !text.contains("without closing handshake") {
            BAD_FRAME
        } else {
            Self::Silent
        }
    }

    /// Closes, and waits for the client to see the code and not a reset.
    pub(super) async fn perform(self, mut socket: Box<WebSocket>, clock: &dyn Clock) {
        let _ = match self {
            Self::Silent => Ok(()),
            // The library has put the answer into its buffer when it read the client's frame.
            Self::Answered => timeout(clock, CLOSE_WAIT, socket.flush()).await.map(|_| ()),
            Self::With(code, reason) => timeout(clock, CLOSE_WAIT, goodbye(&mut socket, code, reason)).await,
        };
    }
}

/// Says goodbye and waits for the client to do the same.
async fn goodbye(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: reason.into() };
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    }
}
