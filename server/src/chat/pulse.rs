//! Ping and pong: whether the client is still there.
//!
//! Invariant: a client is given up only after it was read from and nothing of it was there to be read.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use clock::{SharedClock, Sleep, timeout};

use super::closing::{Closing, NO_PONG};

/// Ping and pong.
pub(super) struct Pulse {
    clock: SharedClock,
    interval: Duration,
    patience: Duration,
    is_waiting: bool,
    timer: Sleep,
}

impl Pulse {
    pub(super) fn new(clock: SharedClock, interval: Duration, patience: Duration) -> Self {
        let timer = clock.sleep(interval);
        Self { clock, interval, patience, is_waiting: false, timer }
    }

    /// Returns the time of the next beat, after which [`beat`](Self::beat) or, while a sign of life is
    /// awaited, [`alive`](Self::alive) must be called.
    pub(super) fn timer(&mut self) -> &mut Sleep {
        &mut self.timer
    }

    /// Returns whether a sign of life is awaited.
    pub(super) const fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Takes note that the client has said something.
    pub(super) fn alive(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.timer = self.clock.sleep(self.interval);
        }
    }

    /// Sends a ping, or ends a connection whose pong did not come. While nothing is read, a pong cannot
    /// be seen, and none is expected.
    pub(super) async fn beat(&mut self, socket: &mut WebSocket, reads: bool) -> Result<(), Closing> {
        if self.is_waiting && reads {
            return Err(NO_PONG);
        }
        self.is_waiting = reads;
        self.timer = self.clock.sleep(if reads { self.patience } else { self.interval });
        let ping = socket.send(Message::Ping(bytes::Bytes::new()));
        match timeout(&*self.clock, self.patience, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Closing::Silent),
        }
    }
}
