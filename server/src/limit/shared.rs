//! Buckets that all replicas take from: the same rules as in memory, decided in one step by Redis.
//!
//! Without Redis each replica decides by its own buckets, which are full where nobody took from them here: a limit may
//! then let through up to so many times as much as there are replicas, and never less than it promises.

use std::time::Duration;

use async_trait::async_trait;
use clock::SharedClock;
use futures_util::{FutureExt as _, future::Either};
use redis::Script;

use super::{
    Caller, Decision, LimitKey, LimitMode, LimitStore, MemoryLimits, Policy, PolicyName, Taking,
    memory::{Bucket, refusals},
};
use crate::shared::Redis;

/// The generic cell rate algorithm, in microseconds. A bucket is one number: when it would be full again.
///
/// Takes the time, the time for one token and the burst; returns whether it is allowed, and the time until the next token.
const TAKE: &str = r"
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local wait = full_at - now - interval * burst
if wait > 0 then
    return { 0, wait }
end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return { 1, 0 }
";

/// Rate limits of all replicas that use the same Redis.
#[derive(Debug)]
pub struct SharedBuckets {
    redis: Redis,
    script: Script,
    local: MemoryLimits,
}

impl SharedBuckets {
    /// Shares buckets through this Redis.
    pub fn new(redis: Redis, clock: SharedClock) -> Self {
        Self { redis, script: Script::new(TAKE), local: MemoryLimits::new(clock) }
    }

    /// Takes one token from the bucket of all replicas.
    async fn decide(&self, name: PolicyName, policy: &Policy, caller: &Caller) -> Decision {
        let bucket = Bucket::of(policy.key, caller);
        let interval = policy.period / policy.rate.get();
        let micros = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX).max(1);
        let burst = policy.burst.get();
        // Another policy under the same name, during a roll-out, has buckets of its own.
        let key = format!("gauntlet:1:limit:{}:{micros}:{burst}:{bucket}", name.label());
        let taken = self.redis.run::<(bool, u64)>(&self.script, &[key], &[micros, i64::from(burst)]).await;
        let Ok((is_allowed, wait)) = taken else {
            return self.local.decide(name, policy, caller);
        };
        if is_allowed {
            return Decision::Allowed;
        }
        refusals(name, policy.mode).increment(1);
        match policy.mode {
            LimitMode::Shadow => Decision::Allowed,
            _ => Decision::Refused { retry_after: Duration::from_micros(wait) },
        }
    }
}

#[async_trait]
impl LimitStore for SharedBuckets {
    fn take<'a>(&'a self, name: PolicyName, policy: &'a Policy, caller: &'a Caller) -> Taking<'a> {
        // The number of a connection means nothing to other processes.
        if policy.mode == LimitMode::Off || policy.key == LimitKey::Connection {
            return self.local.take(name, policy, caller);
        }
        Either::Right(self.decide(name, policy, caller).boxed())
    }

    async fn sweep(&self) {
        // Redis forgets full buckets by itself.
        self.local.sweep().await;
    }
}
