//! Section `[limits]`: rate limits (F1 to F6).

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Abuse, span};
use crate::limit::{LimitKey, LimitMode, Policy};

/// The policies by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Every HTTP request, the upgrade included: 100 per minute, burst 200, by address.
    pub http: Policy,
    /// Authenticated REST routes: 500 per hour, burst 100, by user.
    pub user: Policy,
    /// Chat messages: 10 per minute, by user over all sockets.
    pub messages: Policy,
    /// Tries to log in or to register: 5 per minute, by address and account together.
    pub login: Policy,
    /// What administrators ask for: 60 per minute, by user, beside `user`.
    pub admin: Policy,
    /// Tickets for sockets: 30 per minute, by user, beside `user`.
    pub tickets: Policy,
    /// Sockets that are opened: 60 per minute, by user, beside `http`.
    pub sockets: Policy,
    /// Reminders that are made or changed: 60 per minute, by user, beside `user`.
    pub reminders: Policy,
    /// Tokens that the answers to one user may cost in a day of UTC, as the provider counts them; 0 for no limit. The answer
    /// that goes beyond is still given.
    pub tokens_per_day: u64,
    /// What happens to those who go on after they were refused.
    pub abuse: Abuse,
    /// Whether a refusal by HTTP has the fields `RateLimit-Policy` and `RateLimit`, too. Their standard is a draft still.
    pub rate_limit_fields: bool,
    /// How often full buckets are forgotten.
    #[serde(with = "span")]
    pub sweep_interval: Duration,
}

const fn policy(key: LimitKey, rate: u32, burst: u32, seconds: u64) -> Policy {
    const fn nonzero(n: u32) -> NonZeroU32 {
        match NonZeroU32::new(n) {
            Some(n) => n,
            None => NonZeroU32::MIN,
        }
    }
    Policy {
        key,
        rate: nonzero(rate),
        burst: nonzero(burst),
        period: Duration::from_secs(seconds),
        mode: LimitMode::Enforce,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            http: policy(LimitKey::Address, 100, 200, 60),
            user: policy(LimitKey::User, 500, 100, 3600),
            messages: policy(LimitKey::User, 10, 10, 60),
            login: policy(LimitKey::AddressAndUser, 5, 5, 60),
            admin: policy(LimitKey::User, 60, 60, 60),
            tickets: policy(LimitKey::User, 30, 30, 60),
            sockets: policy(LimitKey::User, 60, 60, 60),
            reminders: policy(LimitKey::User, 60, 60, 60),
            tokens_per_day: 0,
            abuse: Abuse::default(),
            rate_limit_fields: false,
            sweep_interval: Duration::from_mins(5),
        }
    }
}
