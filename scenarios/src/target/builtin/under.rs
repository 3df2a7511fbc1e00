//! What the built-in store is under: the laboratory's eye, and the weather on the line to it.

use clock::{Activity, Operation, SharedClock};
use server::storage::{Expected, Fact, FactWrite, Message, NewMessage, StorageError, Stored};

use crate::line::{Line, Weather};

/// Who watches the store, and the line that its calls go over.
#[derive(Debug)]
pub(super) struct Under {
    pub(super) activity: Activity,
    pub(super) clock: SharedClock,
    pub(super) line: Line,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Read,
    Write,
}

impl Under {
    /// Lets a call pass as the weather is; then counts it as work under way, because the database works on threads of
    /// its own.
    pub(super) async fn pass(&self, does: Does) -> Stored<Operation> {
        let mut weather = self.line.watch();
        let passes = weather.wait_for(|weather| *weather != Weather::Stalled).await.map(|weather| *weather);
        match passes.unwrap_or(Weather::Cut) {
            Weather::Cut => return Err(StorageError::Unavailable("connection refused".to_owned())),
            Weather::Full if does == Does::Write => {
                return Err(StorageError::Unavailable("disk is full".to_owned()));
            }
            Weather::Delayed(by) => self.clock.sleep(by).await,
            Weather::Clear | Weather::Stalled | Weather::Full => {}
        }
        Ok(self.activity.begin())
    }

    /// Returns whether a write would be refused now.
    pub(super) fn takes_no_writes(&self) -> bool {
        matches!(*self.line.watch().borrow(), Weather::Cut | Weather::Full)
    }
}

/// What a store says that stores nothing.
pub(super) fn pretended_message(message: NewMessage) -> Message {
    let role = message.role();
    let NewMessage { id, session, user, kind, language, text, at } = message;
    Message { id, session, user, position: 1, role, kind, language, text, at, replaced_by: None }
}

/// What a store says of a fact that stores nothing.
pub(super) fn pretended_fact(write: FactWrite) -> Fact {
    let version = match write.expected {
        Expected::Version(version) => version + 1,
        Expected::Absent => 1,
    };
    let FactWrite { user, key, value, confidence, source, at, expires_at, .. } = write;
    Fact { user, key, value, confidence, source, version, updated_at: at, expires_at }
}
