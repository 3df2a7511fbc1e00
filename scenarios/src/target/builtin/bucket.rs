//! Limits, weakened.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use clock::SharedClock;
use server::{
    Parts,
    limit::{Caller, LimitStore, MemoryLimits, Policy, PolicyName, Taking},
};

/// The messages of all users count as those of one.
pub(super) const ONE_BUCKET: &str = "one-bucket-for-all";
/// Each replica has limits of its own.
pub(super) const BUCKETS_APART: &str = "buckets-apart";

/// Returns the limits, weakened if the part is theirs.
pub(super) fn limits(part: Option<&str>, sound: Arc<dyn LimitStore>) -> Arc<dyn LimitStore> {
    match part {
        Some(ONE_BUCKET) => Arc::new(OneBucket { sound, first: OnceLock::new() }),
        _ => sound,
    }
}

/// Returns the limits of one of several replicas: they share them, if that is not weakened.
pub(super) fn of_a_replica(part: Option<&str>, parts: &Parts) -> Arc<dyn LimitStore> {
    match part {
        Some(BUCKETS_APART) => Arc::new(MemoryLimits::new(SharedClock::clone(&parts.clock))),
        _ => Arc::clone(&parts.limits),
    }
}

/// Takes everybody who speaks for the first who did.
#[derive(Debug)]
struct OneBucket {
    sound: Arc<dyn LimitStore>,
    first: OnceLock<Caller>,
}

#[async_trait]
impl LimitStore for OneBucket {
    fn take<'a>(&'a self, name: PolicyName, policy: &'a Policy, caller: &'a Caller) -> Taking<'a> {
        let counted = match name {
            PolicyName::Messages => self.first.get_or_init(|| *caller),
            _ => caller,
        };
        self.sound.take(name, policy, counted)
    }

    async fn sweep(&self) {
        self.sound.sweep().await;
    }
}
