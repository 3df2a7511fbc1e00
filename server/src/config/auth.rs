//! Section `[auth]`: tokens and passwords.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

use super::span;

/// How users prove who they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Signs tokens (HS256), at least 32 bytes. Empty: a random one is made at start, and every token
    /// ends with the process.
    #[serde(serialize_with = "hidden")]
    pub secret: SecretString,
    /// How long a token is good for (v0 clients expect 7 days).
    #[serde(with = "span")]
    pub token_life: Duration,
    /// Whether `/ws/chat?token=` is accepted beside the header (v0 clients need it).
    pub query_token: bool,
    /// Memory of one argon2id hash, in KiB (OWASP minimum: 19 MiB at 2 passes).
    pub argon2_memory_kib: u32,
    /// Passes of one argon2id hash.
    pub argon2_passes: u32,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            secret: SecretString::default(),
            token_life: Duration::from_hours(7 * 24),
            query_token: true,
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
        }
    }
}

fn hidden<S: Serializer>(_: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("[hidden]")
}
