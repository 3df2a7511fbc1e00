//! Section `[redis]`: what replicas share.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{secret::hidden_url, span};

/// Redis, if there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisUrl {
    /// `redis://host:port`; empty for a server that shares nothing with others. Hidden when printed.
    #[serde(serialize_with = "hidden_url")]
    pub url: SecretString,
    /// How long a call to it may take; then this process decides alone.
    #[serde(with = "span")]
    pub patience: Duration,
}

impl RedisUrl {
    /// Returns whether there is one.
    pub fn is_used(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}

impl Default for RedisUrl {
    fn default() -> Self {
        Self { url: String::new().into(), patience: Duration::from_millis(250) }
    }
}
