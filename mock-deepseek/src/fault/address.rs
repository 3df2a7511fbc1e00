//! What happens before there is a connection, and so in no exchange at all.

use serde::Deserialize;

use super::Behaviour;
use crate::dead_end::Kind;

/// Changes no answer: the client is pointed at a [dead end](crate::DeadEnd) instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    dead_end: Kind,
}

impl Behaviour for Address {
    fn dead_end(&self) -> Option<Kind> {
        Some(self.dead_end)
    }
}
