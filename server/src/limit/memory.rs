//! Buckets in this process: `governor` on the handed-in clock.
//!
//! Invariant: a bucket is forgotten only when it is full, so that forgetting never lets more through. What
//! it does not do: share buckets with other processes.

use std::{
    fmt,
    future::ready,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use clock::SharedClock;
use futures_util::future::Either;
use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore,
};
use metrics::Counter;

use super::{Caller, Decision, LimitKey, LimitMode, LimitStore, Policy, PolicyName, Taking, address};
use crate::ids::UserId;

/// Rate limits of one process. Buckets start full, refill continuously, and a refusal costs nothing.
#[derive(Debug)]
pub struct MemoryLimits {
    clock: SharedClock,
    limiters: Chain,
}

/// The limiters, one for each name and policy, made when first asked; as many as the settings have policies. It only
/// grows, so that it is read without a lock: whoever asks for a token waits for nobody who asks under another key.
#[derive(Debug, Default)]
struct Chain(OnceLock<Box<Link>>);

#[derive(Debug)]
struct Link {
    name: PolicyName,
    terms: Terms,
    limiter: Limiter,
    refusals: Refusals,
    next: Chain,
}

/// Counters of refusals, made when first needed, by the recorder that there is then: to look one up for each message of a
/// flood would cost more than to refuse it.
#[derive(Debug, Default)]
struct Refusals {
    enforced: OnceLock<Counter>,
    shadowed: OnceLock<Counter>,
}

type Limiter = RateLimiter<Bucket, DashMapStateStore<Bucket>, GovernorClock, NoOpMiddleware<Duration>>;

/// The numbers of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    rate: NonZeroU32,
    burst: NonZeroU32,
    period: Duration,
}

/// Whose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    Address(IpAddr),
    User(UserId),
    AddressAndUser(IpAddr, Option<UserId>),
    Connection(u64),
}

impl MemoryLimits {
    /// Makes an empty store; every bucket is full.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, limiters: Chain::default() }
    }

    /// Returns how many buckets are remembered.
    pub fn buckets(&self) -> usize {
        self.limiters.iter().map(RateLimiter::len).sum()
    }

    /// Takes one token, or says when there will be one.
    pub(super) fn decide(&self, name: PolicyName, policy: &Policy, caller: &Caller) -> Decision {
        if policy.mode == LimitMode::Off {
            return Decision::Allowed;
        }
        let bucket = Bucket::of(policy.key, caller);
        let link = self.link(name, policy);
        let Err(refused) = link.limiter.check_key(&bucket) else { return Decision::Allowed };
        link.refusals.counter(name, policy.mode).increment(1);
        if policy.mode == LimitMode::Shadow {
            return Decision::Allowed;
        }
        Decision::Refused { retry_after: refused.wait_time_from(self.clock.now().since_origin()) }
    }

    fn link(&self, name: PolicyName, policy: &Policy) -> &Link {
        let terms = Terms { rate: policy.rate, burst: policy.burst, period: policy.period };
        let mut chain = &self.limiters;
        loop {
            let link = chain.0.get_or_init(|| Box::new(Link::new(name, terms, Arc::clone(&self.clock))));
            if link.name == name && link.terms == terms {
                return link;
            }
            chain = &link.next;
        }
    }
}

impl Chain {
    fn iter(&self) -> impl Iterator<Item = &Limiter> {
        let links = std::iter::successors(self.0.get(), |link| link.next.0.get());
        links.map(|link| &link.limiter)
    }
}

impl Link {
    fn new(name: PolicyName, terms: Terms, clock: SharedClock) -> Self {
        let limiter = RateLimiter::dashmap_with_clock(terms.quota(), GovernorClock(clock));
        Self { name, terms, limiter, refusals: Refusals::default(), next: Chain::default() }
    }
}

impl Refusals {
    fn counter(&self, name: PolicyName, mode: LimitMode) -> &Counter {
        let counter = if mode == LimitMode::Shadow { &self.shadowed } else { &self.enforced };
        counter.get_or_init(|| refusals(name, mode))
    }
}

impl Terms {
    fn quota(self) -> Quota {
        let interval = (self.period / self.rate.get()).max(Duration::from_nanos(1));
        Quota::with_period(interval).unwrap_or(Quota::per_second(self.rate)).allow_burst(self.burst)
    }
}

impl Bucket {
    /// Picks the part of the caller that counts. Who is not known as a user counts by address.
    pub(super) fn of(key: LimitKey, caller: &Caller) -> Self {
        let address = || Self::Address(address::group(caller.address));
        match key {
            LimitKey::Address => address(),
            LimitKey::User => caller.user.map_or_else(address, Self::User),
            LimitKey::AddressAndUser => Self::AddressAndUser(address::group(caller.address), caller.user),
            LimitKey::Connection => Self::Connection(caller.connection),
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{{a:{address}}}"),
            Self::User(user) => write!(f, "{{u:{user}}}"),
            Self::AddressAndUser(address, Some(user)) => write!(f, "{{u:{user}}}:{address}"),
            Self::AddressAndUser(address, None) => write!(f, "{{a:{address}}}:nobody"),
            Self::Connection(number) => write!(f, "{{c:{number}}}"),
        }
    }
}

/// Returns the counter of how often a bucket was empty, whether that is enforced or not.
pub(super) fn refusals(name: PolicyName, mode: LimitMode) -> Counter {
    metrics::counter!("rate_limited_total", "policy" => name.label(), "mode" => mode.label())
}

#[async_trait]
impl LimitStore for MemoryLimits {
    fn take<'a>(&'a self, name: PolicyName, policy: &'a Policy, caller: &'a Caller) -> Taking<'a> {
        Either::Left(ready(self.decide(name, policy, caller)))
    }

    async fn sweep(&self) {
        for limiter in self.limiters.iter() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// Our clock as `governor` reads it: by the time since its origin.
#[derive(Clone, Debug)]
struct GovernorClock(SharedClock);

impl Clock for GovernorClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().since_origin()
    }
}

#[cfg(test)]
mod tests {
    use clock::{Clock as _, ManualClock, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::config::Limits;

    /// The bucket as the textbook has it, in tokens and seconds.
    struct Reference {
        tokens: f64,
        at: f64,
    }

    impl Reference {
        fn take(&mut self, at: f64, policy: &Policy) -> bool {
            let refill = (at - self.at) * f64::from(policy.rate.get()) / policy.period.as_secs_f64();
            self.tokens = (self.tokens + refill).min(f64::from(policy.burst.get()));
            self.at = at;
            let taken = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(taken));
            taken
        }
    }

    fn store() -> (ManualClock, MemoryLimits) {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        (clock.clone(), MemoryLimits::new(Arc::new(clock)))
    }

    fn caller(number: u8) -> Caller {
        let user = Some(UserId(Uuid::from_u128(u128::from(number))));
        Caller { address: [10, 0, 0, number].into(), user, connection: u64::from(number) }
    }

    fn policy(rate: u32, burst: u32, period: Duration) -> Policy {
        let n = |n| NonZeroU32::new(n).unwrap();
        Policy { key: LimitKey::User, rate: n(rate), burst: n(burst), period, mode: LimitMode::Enforce }
    }

    async fn passed(store: &MemoryLimits, policy: &Policy, caller: &Caller, tries: u32) -> u32 {
        let mut passed = 0;
        for _ in 0..tries {
            let decision = store.take(PolicyName::Http, policy, caller).await;
            passed += u32::from(matches!(decision, Decision::Allowed));
        }
        passed
    }

    fn wait(clock: &ManualClock, seconds: f64) {
        clock.jump(clock.now() + Duration::from_secs_f64(seconds));
    }

    #[tokio::test]
    async fn an_address_gets_its_burst_and_then_its_rate() {
        let (clock, store) = store();
        let policy = Limits::default().http;

        assert_eq!(passed(&store, &policy, &caller(1), 300).await, 200);
        wait(&clock, 60.0);
        assert_eq!(passed(&store, &policy, &caller(1), 300).await, 100);
        assert_eq!(passed(&store, &policy, &caller(2), 300).await, 200);
    }

    #[tokio::test]
    async fn a_user_gets_ten_more_after_72_seconds() {
        let (clock, store) = store();
        let policy = Limits::default().user;

        assert_eq!(passed(&store, &policy, &caller(1), 150).await, 100);
        wait(&clock, 72.0);
        assert_eq!(passed(&store, &policy, &caller(1), 150).await, 10);
    }

    #[tokio::test]
    async fn a_sweep_does_not_refill_a_drained_bucket() {
        let (clock, store) = store();
        let policy = Limits::default().user;
        passed(&store, &policy, &caller(1), 100).await;

        wait(&clock, 301.0);
        store.sweep().await;

        assert_eq!(passed(&store, &policy, &caller(1), 150).await, 41);
    }

    #[tokio::test]
    async fn a_sweep_forgets_full_buckets() {
        let (clock, store) = store();
        let policy = Policy { key: LimitKey::Connection, ..Limits::default().messages };
        for connection in 0..100_000 {
            store.take(PolicyName::Messages, &policy, &Caller { connection, ..caller(1) }).await;
        }
        assert_eq!(store.buckets(), 100_000);

        wait(&clock, 12.1);
        store.sweep().await;

        assert_eq!(store.buckets(), 0);
    }

    #[tokio::test]
    async fn the_stated_wait_is_long_enough_and_not_longer() {
        let (clock, store) = store();
        let policy = Limits::default().messages;
        passed(&store, &policy, &caller(1), 10).await;

        let refused = store.take(PolicyName::Http, &policy, &caller(1)).await;

        assert_eq!(refused, Decision::Refused { retry_after: Duration::from_secs(6) });
        wait(&clock, 5.999);
        assert_eq!(passed(&store, &policy, &caller(1), 1).await, 0);
        wait(&clock, 0.001);
        assert_eq!(passed(&store, &policy, &caller(1), 2).await, 1);
    }

    #[tokio::test]
    async fn a_shadowed_policy_lets_pass_and_an_unused_one_does_not_count() {
        let (_, store) = store();
        let shadow = Policy { mode: LimitMode::Shadow, ..policy(1, 1, Duration::from_mins(1)) };
        let off = Policy { mode: LimitMode::Off, ..shadow.clone() };

        assert_eq!(passed(&store, &off, &caller(1), 5).await, 5);
        assert_eq!(store.buckets(), 0);
        assert_eq!(passed(&store, &shadow, &caller(1), 5).await, 5);
        assert_eq!(store.buckets(), 1);
    }

    #[tokio::test]
    async fn somebody_unknown_counts_by_address() {
        let (_, store) = store();
        let policy = policy(1, 1, Duration::from_mins(1));
        let unknown = Caller { user: None, ..caller(1) };

        assert_eq!(passed(&store, &policy, &unknown, 3).await, 1);
        assert_eq!(passed(&store, &policy, &Caller { connection: 99, ..unknown }, 3).await, 0);
        assert_eq!(passed(&store, &policy, &caller(1), 3).await, 1);
    }

    #[tokio::test]
    async fn an_account_counts_apart_at_each_address_f9() {
        let (_, store) = store();
        let policy = Policy { key: LimitKey::AddressAndUser, ..policy(1, 1, Duration::from_mins(1)) };
        let elsewhere = Caller { address: [10, 9, 9, 9].into(), ..caller(1) };

        assert_eq!(passed(&store, &policy, &caller(1), 3).await, 1);
        assert_eq!(passed(&store, &policy, &Caller { user: caller(2).user, ..caller(1) }, 3).await, 1);
        assert_eq!(passed(&store, &policy, &elsewhere, 3).await, 1);
    }

    proptest! {
        #[test]
        fn decisions_are_those_of_the_textbook_bucket(
            (rate, burst) in (1_u32..50, 1_u32..50),
            pauses in prop::collection::vec(0_u64..5_000, 1..200),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (clock, store) = store();
            let policy = policy(rate, burst, Duration::from_secs(10));
            let mut reference = Reference { tokens: f64::from(burst), at: 0.0 };
            let (mut ours, mut theirs) = (0_i32, 0_i32);
            for pause in pauses {
                clock.jump(clock.now() + Duration::from_millis(pause));
                let at = clock.now().since_origin().as_secs_f64();
                ours += i32::try_from(runtime.block_on(passed(&store, &policy, &caller(1), 1))).unwrap();
                theirs += i32::from(reference.take(at, &policy));
                prop_assert!((ours - theirs).abs() <= 1, "{ours} passed, the textbook says {theirs}");
            }
        }
    }
}
