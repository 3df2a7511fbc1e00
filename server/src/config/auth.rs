//! Section `[auth]`: tokens and passwords.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{secret::hidden, span};

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
    /// How long an access token is good for that came beside a refresh token.
    #[serde(with = "span")]
    pub access_life: Duration,
    /// How long a refresh token is good for; each is used once and replaced.
    #[serde(with = "span")]
    pub refresh_life: Duration,
    /// Whether tokens that name no device are accepted until they expire: those of before there were devices.
    pub tokens_without_device: bool,
    /// How often it is looked up whether an open socket's token still counts. What ends on this server closes its
    /// sockets at once.
    #[serde(with = "span")]
    pub recheck: Duration,
    /// How long a ticket of `POST /api/auth/ws-ticket` waits for its one use.
    #[serde(with = "span")]
    pub ticket_life: Duration,
    /// Whether administrators must have a second factor; one that is there is asked for anyway.
    pub admin_second_factor: Demand,
    /// After how long without a call an administrator must give the second factor again.
    #[serde(with = "span")]
    pub admin_idle: Duration,
    /// Whether `/ws/chat?token=` is accepted beside the header (v0 clients need it).
    pub query_token: bool,
    /// Memory of one argon2id hash, in KiB (OWASP minimum: 19 MiB at 2 passes).
    pub argon2_memory_kib: u32,
    /// Passes of one argon2id hash.
    pub argon2_passes: u32,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It may be missing.
    Optional,
    /// Nothing goes without it.
    Required,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            secret: SecretString::default(),
            token_life: Duration::from_hours(7 * 24),
            access_life: Duration::from_mins(15),
            refresh_life: Duration::from_hours(30 * 24),
            tokens_without_device: true,
            recheck: Duration::from_mins(1),
            ticket_life: Duration::from_secs(30),
            admin_second_factor: Demand::Optional,
            admin_idle: Duration::from_mins(30),
            query_token: true,
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
        }
    }
}
