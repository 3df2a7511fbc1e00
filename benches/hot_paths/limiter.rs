//! The rate limiter beside the bare `governor`, and its shared form beside a bare round trip to Redis.
//!
//! The floor takes the same key from the same clock and keeps its buckets in the same map. What is left over is what
//! the server adds: to find the limiter of the policy, to pick the key, and a future that others could wait for.

use std::{
    cell::LazyCell,
    hint::black_box,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use clock::{SharedClock, SystemClock};
use criterion::Criterion;
use futures_util::FutureExt as _;
use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore,
};
use server::{
    ids::UserId,
    limit::{
        Caller, Decision, LimitKey, LimitMode, LimitStore, MemoryLimits, Policy, PolicyName, SharedBuckets,
    },
    shared,
};
use tokio::runtime::Builder;

use crate::{beside::Theme, support::redis::Redis};

/// Callers of the bench with many; fewer where it is only tried.
const KEYS: usize = if cfg!(debug_assertions) { 1_000 } else { 1_000_000 };

/// What the bare library takes for a key: as much as the key of the server's bucket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(dead_code, reason = "the others make the key as large as the server's")]
enum Key {
    Address(IpAddr),
    User(UserId),
    AddressAndUser(IpAddr, Option<UserId>),
}

/// The server's clock as the bare library reads it.
#[derive(Clone, Debug)]
struct SameClock(SharedClock);

impl Clock for SameClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now().since_origin()
    }
}

type Bare = RateLimiter<Key, DashMapStateStore<Key>, SameClock, NoOpMiddleware<Duration>>;

pub(crate) fn bench(c: &mut Criterion) {
    let mut theme = Theme::new(c, "limiter");
    one_key(&mut theme);
    refused(&mut theme);
    many_keys(&mut theme);
    shared_buckets(&mut theme);
}

fn one_key(theme: &mut Theme<'_>) {
    let (policy, caller) = (plenty(), caller());
    let (ours, bare) = (MemoryLimits::new(clock()), bare(&policy));
    let key = Key::User(caller.user.unwrap());
    let allows = || take(&ours, &policy, black_box(&caller));
    let passes = || bare.check_key(black_box(&key)).is_ok();

    theme.ours("one key", allows);
    theme.floor("one key", "bare governor", passes);
    theme.together("ours, one key by two threads", allows);
    theme.together("floor: bare governor, one key by two threads", passes);
    assert!(matches!(allows(), Decision::Allowed) && passes(), "both were measured while they let through");
}

/// What a flood costs that is turned away, and told for how long.
fn refused(theme: &mut Theme<'_>) {
    let (policy, caller) = (Policy { rate: NonZeroU32::MIN, burst: NonZeroU32::MIN, ..plenty() }, caller());
    let (ours, bare) = (MemoryLimits::new(clock()), bare(&policy));
    let key = Key::User(caller.user.unwrap());

    theme.ours("one key, refused", || take(&ours, &policy, black_box(&caller)));
    theme.floor("one key, refused", "bare governor", || {
        let refused = bare.check_key(black_box(&key)).err()?;
        Some(refused.wait_time_from(bare.clock().now()))
    });
}

/// A caller after the other, in an order that no cache guesses.
fn many_keys(theme: &mut Theme<'_>) {
    /// Has no common divisor with the number of keys.
    const STRIDE: usize = 611_953;
    let policy = plenty();
    let callers: Vec<_> = (0..KEYS).map(|_| caller()).collect();
    let ours = LazyCell::new(|| {
        let ours = MemoryLimits::new(clock());
        for caller in &callers {
            take(&ours, &policy, caller);
        }
        ours
    });
    let floor = LazyCell::new(|| {
        let bare = bare(&policy);
        for caller in &callers {
            let _ = bare.check_key(&Key::User(caller.user.unwrap()));
        }
        bare
    });
    let mut at = 0;
    let mut next = || {
        at = (at + STRIDE) % KEYS;
        &callers[at]
    };

    theme.ours("a million keys", || take(&ours, &policy, next()));
    theme.floor("a million keys", "bare governor", || {
        floor.check_key(&Key::User(next().user.unwrap())).is_ok()
    });
}

/// Limits of several replicas. The floor is a round trip through the same client that asks for nothing: a decision that
/// somebody else makes cannot be had for less.
fn shared_buckets(theme: &mut Theme<'_>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let Some(redis) = Redis::start() else { return };
    let (policy, caller) = (plenty(), caller());
    let client = redis::Client::open(redis.url()).unwrap();
    let mut bare = runtime.block_on(client.get_connection_manager()).unwrap();
    let ours = runtime.block_on(async {
        let patience = Duration::from_secs(5);
        SharedBuckets::new(shared::Redis::new(&redis.url().into(), clock(), patience).unwrap(), clock())
    });

    theme.ours("shared by Redis", || runtime.block_on(ours.take(PolicyName::Http, &policy, &caller)));
    theme.floor("shared by Redis", "a bare round trip", || {
        runtime.block_on(redis::cmd("PING").query_async::<String>(&mut bare)).unwrap()
    });
}

fn take(limits: &MemoryLimits, policy: &Policy, caller: &Caller) -> Decision {
    limits.take(PolicyName::Http, policy, caller).now_or_never().unwrap()
}

fn bare(policy: &Policy) -> Bare {
    let quota = Quota::with_period(policy.period / policy.rate.get()).unwrap().allow_burst(policy.burst);
    RateLimiter::dashmap_with_clock(quota, SameClock(clock()))
}

fn clock() -> SharedClock {
    Arc::new(SystemClock::new())
}

/// A limit that no bench reaches: a token in each nanosecond.
fn plenty() -> Policy {
    let rate = NonZeroU32::new(1_000_000_000).unwrap();
    let period = Duration::from_secs(1);
    Policy { key: LimitKey::User, rate, burst: rate, period, mode: LimitMode::Enforce }
}

fn caller() -> Caller {
    Caller { address: Ipv4Addr::LOCALHOST.into(), user: Some(UserId::random()), connection: 1 }
}
