//! Rate limits: policies, and the stores that decide.
//!
//! A policy says how much whom may do; a store remembers who did how much. In process the store is
//! `governor` on our clock ([`MemoryLimits`]); over several processes it is Redis ([`SharedBuckets`]). Buckets start full, refill continuously, and a refusal
//! costs nothing (the semantics of F5).

pub mod address;
mod memory;
mod shared;

use std::{future::Ready, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Either};
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
pub use memory::MemoryLimits;
pub use shared::SharedBuckets;

/// A limit store that many parts share.
pub type SharedLimits = Arc<dyn LimitStore>;

/// Whose bucket a request takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKey {
    /// The client's network address (IPv6 by /64).
    Address,
    /// The authenticated user, over all devices.
    User,
    /// Address and user together, so that nobody locks another out.
    AddressAndUser,
    /// The single connection.
    Connection,
}

/// What a policy does when its bucket is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitMode {
    /// Refuses.
    Enforce,
    /// Counts and lets pass.
    Shadow,
    /// Does not even count.
    Off,
}

impl LimitMode {
    /// Returns the name as settings and metrics have it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

/// One rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whose bucket.
    pub key: LimitKey,
    /// So many per `period` in the long run.
    pub rate: NonZeroU32,
    /// So many at once after a rest.
    pub burst: NonZeroU32,
    /// See `rate`.
    #[serde(with = "crate::config::span")]
    pub period: Duration,
    /// What happens when the bucket is empty.
    pub mode: LimitMode,
}

/// The names of the policies; a store keeps their buckets apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    /// Every HTTP request, the upgrade included (F1).
    Http,
    /// Requests to authenticated routes (F2).
    User,
    /// Chat messages (F3).
    Messages,
    /// Tries to log in or to register (F9).
    Login,
    /// One-time passwords that are tried (F144).
    SecondFactor,
    /// What administrators ask for (F109).
    Admin,
    /// Tickets for sockets (F109).
    Tickets,
    /// Sockets that are opened (F89).
    Sockets,
    /// Reminders that are made or changed (F109).
    Reminders,
}

impl PolicyName {
    /// Returns the name as settings and metrics have it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::User => "user",
            Self::Messages => "messages",
            Self::Login => "login",
            Self::SecondFactor => "second_factor",
            Self::Admin => "admin",
            Self::Tickets => "tickets",
            Self::Sockets => "sockets",
            Self::Reminders => "reminders",
        }
    }
}

/// Who asks. A policy's [`LimitKey`] picks the part that counts.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The client's network address.
    pub address: IpAddr,
    /// The authenticated user.
    pub user: Option<UserId>,
    /// Number of the connection, unique in this process.
    pub connection: u64,
}

/// A limit store's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// Too much; asking again after `retry_after` will succeed if nobody else takes the token.
    Refused {
        /// Time until the next token.
        retry_after: Duration,
    },
}

/// A decision that is taken already, or that somebody else is asked for. Cancellation-safe: dropped, a token may be gone.
pub type Taking<'a> = Either<Ready<Decision>, BoxFuture<'a, Decision>>;

/// Remembers who did how much.
#[async_trait]
pub trait LimitStore: std::fmt::Debug + Send + Sync + 'static {
    /// Takes one token from the caller's bucket under this policy, or says when there will be one.
    /// A refusal takes nothing. Never fails: a store that lost its engine decides by itself.
    fn take<'a>(&'a self, name: PolicyName, policy: &'a Policy, caller: &'a Caller) -> Taking<'a>;

    /// Forgets buckets that are full again, and only those (F4).
    async fn sweep(&self);
}
