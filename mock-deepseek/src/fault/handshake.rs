//! A handshake of TLS that does not get on.

use serde::Deserialize;

use super::Behaviour;
use crate::duration::Lasts;

/// Accepts the connection and says nothing for so long; then the handshake goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Handshake {
    lasts: Lasts,
}

impl Behaviour for Handshake {
    fn handshake(&self) -> Option<Lasts> {
        Some(self.lasts)
    }
}
