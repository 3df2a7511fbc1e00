//! Section `[database]`: where the rows live.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{secret::hidden_url, span};

/// The database, chosen by its URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseUrl {
    /// `sqlite:PATH` or `postgres://user:password@host/name`. Hidden when printed.
    #[serde(serialize_with = "hidden_url")]
    pub url: SecretString,
    /// The same PostgreSQL as another role, for what the chat reads and writes; empty where there is none. A role that
    /// may not write to `reminders` (`deploy/postgres/chat_role.sql`) keeps the chat from making entries, whatever
    /// goes wrong in it. Hidden when printed.
    #[serde(serialize_with = "hidden_url")]
    pub chat_url: SecretString,
    /// Connections that may be open at once, for each of the two.
    pub connections: u32,
    /// How long a call to it may take; then it counts as out of reach.
    #[serde(with = "span")]
    pub patience: Duration,
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self {
            url: "sqlite:gauntlet.db".into(),
            chat_url: "".into(),
            connections: 8,
            patience: Duration::from_secs(2),
        }
    }
}
