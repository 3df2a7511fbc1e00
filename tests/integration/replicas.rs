//! Several servers that share a Redis, and what becomes of them when it goes.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use clock::{Clock as _, ManualClock, SharedClock, SystemClock, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use metrics_util::debugging::DebuggingRecorder;
use mock_deepseek::{MockDeepSeek, Script};
use serde_json::{Value, json};
use server::{
    ids::UserId,
    limit::{Caller, Decision, LimitKey, LimitMode, LimitStore, Policy, PolicyName, SharedBuckets},
    shared::{REST, Redis as Shared},
};

use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::support::{
    counted::counted,
    postgres::Fresh,
    redis::Redis,
    served::{Served, serve},
};

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
        passed += usize::from(matches!(taken, Decision::Allowed));
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
        allowed.0 += u32::from(matches!(pair.0, Decision::Allowed));
        allowed.1 += u32::from(matches!(pair.1, Decision::Allowed));
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

#[tokio::test]
async fn each_call_that_redis_did_not_answer_is_counted_f10() {
    let Some(mut redis) = Redis::start() else { return };
    let recorder = DebuggingRecorder::new();
    let (metrics, _counting) = (recorder.snapshotter(), metrics::set_default_local_recorder(&recorder));
    let lost = || counted(&metrics).remove("redis_lost_total").unwrap_or_default();
    let policy = policy(10, 10, Duration::from_mins(1));
    let (clock, store) = replica(&redis, 1_800_000_000, PATIENCE);
    let ana = UserId::random();
    passed(&store, &policy, ana, 20).await;
    assert_eq!(lost(), 0, "to be refused is to be answered");

    redis.kill();
    passed(&store, &policy, ana, 20).await;
    assert_eq!(lost(), 1, "it is left alone for a while");
    clock.jump(clock.now() + REST);
    passed(&store, &policy, ana, 20).await;
    assert_eq!(lost(), 1, "and asked once more");

    redis.start_again();
    clock.jump(clock.now() + REST);
    passed(&store, &policy, ana, 20).await;
    assert_eq!(lost(), 0);
}

#[tokio::test]
async fn a_limit_of_all_replicas_that_is_tried_out_counts_and_lets_all_through_f6() {
    let Some(redis) = Redis::start() else { return };
    let recorder = DebuggingRecorder::new();
    let (metrics, _counting) = (recorder.snapshotter(), metrics::set_default_local_recorder(&recorder));
    let enforced = policy(10, 10, Duration::from_mins(1));
    let tried = Policy { mode: LimitMode::Shadow, ..enforced.clone() };
    let (_, one) = replica(&redis, 1_800_000_000, PATIENCE);
    let (_, other) = replica(&redis, 1_800_000_000, PATIENCE);
    let ana = UserId::random();

    assert_eq!(passed(&one, &tried, ana, 8).await + passed(&other, &tried, ana, 8).await, 16);

    assert_eq!(counted(&metrics), [("rate_limited_total messages shadow".to_owned(), 6)].into());
    assert_eq!(passed(&one, &enforced, ana, 3).await, 0, "the bucket is the one that would be enforced");
    assert_eq!(counted(&metrics), [("rate_limited_total messages enforce".to_owned(), 3)].into());
}

#[tokio::test]
async fn a_limit_that_is_off_asks_no_redis_and_counts_nothing_f6() {
    let Some(mut redis) = Redis::start() else { return };
    let recorder = DebuggingRecorder::new();
    let (metrics, _counting) = (recorder.snapshotter(), metrics::set_default_local_recorder(&recorder));
    let enforced = policy(10, 10, Duration::from_mins(1));
    let off = Policy { mode: LimitMode::Off, ..enforced.clone() };
    let (_, store) = replica(&redis, 1_800_000_000, PATIENCE);
    let ana = UserId::random();

    assert_eq!(passed(&store, &off, ana, 30).await, 30);
    assert_eq!(passed(&store, &enforced, ana, 11).await, 10, "nothing was taken from the bucket");
    redis.kill();
    counted(&metrics);
    assert_eq!(passed(&store, &off, ana, 30).await, 30);

    assert_eq!(counted(&metrics), [].into(), "a Redis that is gone was not missed");
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

/// A device of `chat.v1`.
struct Device {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    epoch: String,
    offset: u64,
}

impl Device {
    /// Connects, from behind a place that was seen; returns whether nothing was lost.
    async fn connect(address: SocketAddr, token: &str, seen: Option<&Self>) -> (Self, bool) {
        let mut request = format!("ws://{address}/ws/chat?token={token}").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "chat.v1".parse().unwrap());
        let (socket, _) = connect_async(request).await.unwrap();
        let mut device = Self { socket, epoch: String::new(), offset: 0 };
        let resume = match seen {
            Some(seen) => json!({"type": "resume", "epoch": seen.epoch, "offset": seen.offset}),
            None => json!({"type": "resume"}),
        };
        device.send(resume).await;
        let welcome = device.until("welcome").await;
        (device, welcome["recovered"] == true)
    }

    async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn say(&mut self, id: &str, text: &str) {
        self.send(json!({"type": "send", "client_msg_id": id, "content": text})).await;
    }

    /// Reads until a frame of this type; errors are not expected.
    async fn until(&mut self, wanted: &str) -> Value {
        let reading = async {
            loop {
                let frame = self.socket.next().await.unwrap().unwrap();
                let Ok(text) = frame.to_text() else { continue };
                let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                assert_ne!(frame["type"], "error", "{frame}");
                self.offset = frame["offset"].as_u64().unwrap_or(self.offset);
                if frame["type"] == "welcome" {
                    frame["epoch"].as_str().unwrap().clone_into(&mut self.epoch);
                }
                if frame["type"] == wanted {
                    return frame;
                }
            }
        };
        clock::timeout(&SystemClock::new(), PATIENCE, reading)
            .await
            .unwrap_or_else(|_| panic!("no `{wanted}`"))
    }
}

/// Answers slowly enough for something to happen meanwhile.
const SLOWLY: &str = r#"
[[rules]]
match = { contains = "figs" }
reply = { pieces = ["Figs ", "are ", "rich ", "in ", "fibre."] }
pace = { gap = "200ms" }
"#;

/// Two processes with one database, one Redis and one model, and a user of theirs.
struct Pair {
    servers: [Option<Served>; 2],
    redis: Redis,
    token: String,
    _llm: MockDeepSeek,
    database: Fresh,
}

impl Pair {
    async fn start() -> Option<Self> {
        let (redis, database) = (Redis::start()?, Fresh::database().await?);
        let llm = MockDeepSeek::start().await.unwrap();
        llm.set_script(Script::from_toml(SLOWLY).unwrap());
        let server = || {
            let mut command = serve(&database.url, &llm.url());
            // A busy machine is no outage.
            command.env("GAUNTLET__REDIS__URL", redis.url()).env("GAUNTLET__REDIS__PATIENCE", "10s");
            Some(Served::start(command))
        };
        let servers = [server(), server()];
        let account = json!({"email": "ana@example.org", "password": "a long password"});
        let registered = servers[0].as_ref().unwrap().post("/api/auth/register", account).await;
        let token = registered["token"].as_str().unwrap().to_owned();
        Some(Self { servers, redis, token, _llm: llm, database })
    }

    async fn device(&self, replica: usize, seen: Option<&Device>) -> (Device, bool) {
        Device::connect(self.servers[replica].as_ref().unwrap().address, &self.token, seen).await
    }

    /// Connects a phone here and a tablet there; the phone asks, and an answer is under way.
    async fn talking(&self) -> (Device, Device) {
        let ((mut phone, _), (mut tablet, _)) = (self.device(0, None).await, self.device(1, None).await);
        phone.say("m-1", "Are figs good for me?").await;
        let asked = tablet.until("message").await;
        assert_eq!(
            (&asked["text"], &asked["client_msg_id"]),
            (&json!("Are figs good for me?"), &json!("m-1"))
        );
        tablet.until("chunk").await;
        (phone, tablet)
    }

    async fn stop(self) {
        drop(self.servers);
        self.database.drop_database().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_read_and_taken_up_at_another_process_f88_f89_f90() {
    let Some(pair) = Pair::start().await else { return };
    let (mut seen, mut tablet) = pair.talking().await;

    seen.until("chunk").await;
    let (mut phone, recovered) = pair.device(1, Some(&seen)).await;
    drop(seen);
    assert!(recovered, "the other process knows where the phone was");
    let (read, told) = (tablet.until("done").await, phone.until("done").await);
    assert_eq!((&read["finish_reason"], &read["offset"]), (&json!("answered"), &told["offset"]));

    tablet.say("m-2", "Are figs good for the child?").await;
    let chunk = phone.until("chunk").await;
    phone.send(json!({"type": "stop", "message_id": chunk["message_id"]})).await;
    assert_eq!(tablet.until("done").await["finish_reason"], "stopped");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_process_was_killed_is_ended_by_the_other_f90() {
    let Some(mut pair) = Pair::start().await else { return };
    let (_phone, mut tablet) = pair.talking().await;

    pair.servers[0] = None;

    assert_eq!(tablet.until("done").await["finish_reason"], "interrupted");
    tablet.say("m-2", "Is rye bread good?").await;
    assert_eq!(tablet.until("done").await["finish_reason"], "answered");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_goes_costs_no_answer_and_is_told_of_afterwards_f88() {
    let Some(mut pair) = Pair::start().await else { return };
    let (mut phone, mut tablet) = pair.talking().await;

    pair.redis.kill();
    assert_eq!(phone.until("done").await["finish_reason"], "answered");
    tablet.say("m-2", "Is rye bread good?").await;
    assert_eq!(tablet.until("done").await["finish_reason"], "answered");
    pair.redis.start_again();

    let welcome = tablet.until("welcome").await;
    assert_eq!(welcome["recovered"], false, "the tablet has missed the end of the first answer");
    phone.until("welcome").await;
    phone.say("m-3", "Is goat cheese safe?").await;
    assert_eq!(tablet.until("message").await["client_msg_id"], "m-3", "what is told is heard by both again");
    pair.stop().await;
}
