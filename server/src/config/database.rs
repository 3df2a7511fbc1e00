//! Section `[database]`: where the rows live.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::span;

/// The database, chosen by its URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseUrl {
    /// `sqlite:PATH` or `postgres://user:password@host/name`. Hidden when printed.
    #[serde(serialize_with = "hidden")]
    pub url: SecretString,
    /// Connections that may be open at once.
    pub connections: u32,
    /// How long a call to it may take; then it counts as out of reach.
    #[serde(with = "span")]
    pub patience: Duration,
}

impl Default for DatabaseUrl {
    fn default() -> Self {
        Self { url: "sqlite:gauntlet.db".into(), connections: 8, patience: Duration::from_secs(2) }
    }
}

fn hidden<S: Serializer>(url: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    let scheme = url.expose_secret().split(':').next().unwrap_or_default();
    serializer.serialize_str(&format!("{scheme}:[hidden]"))
}
