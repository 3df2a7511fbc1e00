//! Several servers that share a Redis, and what becomes of them when it goes.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use clock::{Clock as _, ManualClock, SharedClock, SystemClock, Timestamp};
use server::{
    ids::UserId,
    limit::{Caller, Decision, LimitKey, LimitMode, LimitStore, Policy, PolicyName, SharedBuckets},
    shared::{REST, Redis as Shared},
};

use crate::support::redis::Redis;

/// What a call may take here: no verdict rests on it.
const PATIENCE: Duration = Duration::from_secs(20);

fn policy(rate: u32, burst: u32, period: Duration) -> Policy {
    let number = |n| NonZeroU32::new(n).unwrap();
    let (rate, burst) = (number(rate), number(burst));
    Policy { key: LimitKey::User, rate, burst, period, mode: LimitMode::Enforce }
}

fn caller(user: UserId) -> Caller {
    Caller { address: IpAddr::from([127, 0, 0, 1]), user: Some(user), connection: 1 }
}

/// A replica's limits on a clock that stands still.
fn replica(redis: &Redis, began: i64, patience: Duration) -> (ManualClock, SharedBuckets) {
    let clock = ManualClock::new(Timestamp::from_second(began).unwrap());
    let shared: SharedClock = Arc::new(clock.clone());
    let redis = Shared::new(&redis.url().into(), Arc::clone(&shared), patience).unwrap();
    (clock, SharedBuckets::new(redis, shared))
}

async fn passed(store: &SharedBuckets, policy: &Policy, user: UserId, times: usize) -> usize {
    let mut passed = 0;
    for _ in 0..times {
        let taken = store.take(PolicyName::Messages, policy, &caller(user)).await;
        passed += usize::from(matches!(taken, Decision::Allowed { .. }));
    }
    passed
}

#[tokio::test]
async fn replicas_whose_clocks_differ_share_one_bucket_f10() {
    let Some(redis) = Redis::start() else { return };
    let policy = policy(10, 10, Duration::from_mins(1));
    let (clock, one) = replica(&redis, 1_800_000_000, PATIENCE);
    let (_, other) = replica(&redis, 1_800_000_030, PATIENCE);
    let (ana, eva) = (UserId::random(), UserId::random());

    let together = passed(&one, &policy, ana, 6).await + passed(&other, &policy, ana, 6).await;

    assert_eq!(together, 10);
    assert_eq!(passed(&other, &policy, eva, 12).await, 10, "another user has a bucket of their own");
    let refused = one.take(PolicyName::Messages, &policy, &caller(ana)).await;
    let Decision::Refused { retry_after } = refused else { panic!("{refused:?}") };
    assert!(retry_after <= Duration::from_secs(6), "{retry_after:?}");
    clock.jump(clock.now() + retry_after);
    assert_eq!(passed(&one, &policy, ana, 2).await, 1);
}

#[tokio::test]
async fn a_bucket_in_redis_decides_as_one_in_memory_does_f5() {
    let Some(redis) = Redis::start() else { return };
    let policy = policy(500, 100, Duration::from_hours(1));
    let (clock, shared) = replica(&redis, 1_800_000_000, PATIENCE);
    let memory = server::limit::MemoryLimits::new(Arc::new(clock.clone()));
    let ana = UserId::random();

    let mut allowed = (0, 0);
    for n in 0_u64..600 {
        let take = (PolicyName::User, &policy, &caller(ana));
        let pair = (shared.take(take.0, take.1, take.2).await, memory.take(take.0, take.1, take.2).await);
        allowed.0 += u32::from(matches!(pair.0, Decision::Allowed { .. }));
        allowed.1 += u32::from(matches!(pair.1, Decision::Allowed { .. }));
        clock.jump(clock.now() + Duration::from_millis((n * 7919) % 9_000));
    }

    assert!(allowed.0.abs_diff(allowed.1) <= 1 && allowed.0 > 100, "{allowed:?}");
}

#[tokio::test]
async fn without_redis_each_replica_decides_alone_and_with_it_again_together_f10() {
    let Some(mut redis) = Redis::start() else { return };
    let policy = policy(10, 10, Duration::from_mins(1));
    let (clock, one) = replica(&redis, 1_800_000_000, PATIENCE);
    let (_, other) = replica(&redis, 1_800_000_000, PATIENCE);
    let ana = UserId::random();
    assert_eq!(passed(&one, &policy, ana, 10).await, 10);

    redis.kill();
    assert_eq!(passed(&other, &policy, ana, 20).await, 10, "its own bucket is full");
    assert_eq!(passed(&one, &policy, ana, 20).await, 10);

    redis.start_again();
    clock.jump(clock.now() + REST);
    assert_eq!(passed(&one, &policy, ana, 4).await, 4, "it is asked again, and knows nothing any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_says_nothing_costs_one_wait_f10() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let clock: SharedClock = Arc::new(SystemClock::new());
    let patience = Duration::from_millis(50);
    let redis = Shared::new(&url.into(), Arc::clone(&clock), patience).unwrap();
    let store = SharedBuckets::new(redis, Arc::clone(&clock));
    let policy = policy(1, 100, Duration::from_hours(1));

    let taken = clock::timeout(&*clock, REST, passed(&store, &policy, UserId::random(), 100)).await;

    assert_eq!(taken, Ok(100), "a hundred waits would have taken five seconds");
}
