//! Hot paths, each beside its floor: what the bare library, or copying the same bytes, costs.
//!
//! A figure here means something only as a ratio to the floor measured in the same run:
//! `cargo bench -- limiter` or `cargo bench -- prompt`.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up cannot go on")]

use std::{hint::black_box, net::Ipv4Addr, sync::Arc};

use clock::{ManualClock, SharedClock, Timestamp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::FutureExt;
use governor::{Quota, RateLimiter};
use server::{
    Config,
    ids::{MessageId, SessionId, UserId},
    limit::{Caller, LimitStore, MemoryLimits, PolicyName},
    llm::prompt::{Bounds, Material, build},
    safety::{KeywordRedFlags, RedFlags},
    storage::{Fact, FactSource, Message, MessageKind, Role},
};

/// Letters of each message in the prompt: what people write in a few sentences.
const MESSAGE_CHARACTERS: usize = 300;

fn limiter(c: &mut Criterion) {
    let policy = Config::default().limits.http;
    let caller = Caller { address: Ipv4Addr::LOCALHOST.into(), user: Some(UserId::random()), connection: 1 };
    let clock: SharedClock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let ours = MemoryLimits::new(clock);
    let quota = Quota::with_period(policy.period / policy.rate.get()).unwrap().allow_burst(policy.burst);
    let bare = RateLimiter::dashmap(quota);

    let mut group = c.benchmark_group("limiter");
    group.bench_function("ours, one key", |b| {
        b.iter(|| ours.take(PolicyName::Http, &policy, black_box(&caller)).now_or_never().unwrap());
    });
    group.bench_function("floor: bare governor, one key", |b| {
        b.iter(|| bare.check_key(black_box(&caller.address)).is_ok());
    });
    group.finish();
}

fn prompt(c: &mut Criterion) {
    let (user, session) = (UserId::random(), SessionId::random());
    let text = "May I eat soft cheese in week 22, and how much of it a day? ".repeat(MESSAGE_CHARACTERS / 60);
    let history: Vec<_> = (1..=10).map(|position| message(user, session, position, &text)).collect();
    let facts: Vec<_> = (0..10).map(|n| fact(user, n)).collect();
    let material = Material {
        language: "en",
        facts: &facts,
        terms: &[],
        history: &history,
        current: &text,
        at: Timestamp::UNIX_EPOCH,
    };
    let bounds = Bounds { tokens: 3000, confidence: 0.7, mask: true };
    let bytes: Vec<_> = build(&material, &bounds).into_iter().map(|turn| turn.content).collect();

    let mut group = c.benchmark_group("prompt");
    group.throughput(Throughput::Bytes(bytes.iter().map(|content| content.len() as u64).sum()));
    group.bench_function("ours, 10 messages and 10 facts, masked", |b| {
        b.iter(|| build(black_box(&material), &bounds));
    });
    group.bench_function("floor: a copy of the same bytes", |b| b.iter(|| black_box(&bytes).clone()));
    group.finish();
}

/// The longest message that is taken, of words that are in many lists: it is checked before anything else,
/// so whoever is flooded pays it for every message.
fn red_flags(c: &mut Criterion) {
    let flags = KeywordRedFlags::new();
    let long = "the baby is not cold and pain no more severe belly head ".repeat(72)[..4000].to_owned();
    let short = "Hi, may I eat soft cheese in week 22?".to_owned();

    let mut group = c.benchmark_group("red flags");
    for (name, text) in [("4,000 characters", &long), ("one question", &short)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("ours, {name}"), |b| b.iter(|| flags.find(black_box(text))));
        group.bench_function(format!("floor: {name} in lower case"), |b| {
            b.iter(|| black_box(text).to_lowercase());
        });
    }
    group.finish();
}

fn message(user: UserId, session: SessionId, position: u32, text: &str) -> Message {
    let (role, kind) = match position % 2 {
        1 => (Role::User, MessageKind::Said),
        _ => (Role::Assistant, MessageKind::Answer),
    };
    Message {
        id: MessageId::random(),
        session,
        user,
        position,
        role,
        kind,
        language: "en".to_owned(),
        text: text.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        replaced_by: None,
    }
}

fn fact(user: UserId, n: u32) -> Fact {
    Fact {
        user,
        key: format!("preference_{n}"),
        value: "no meat, little salt".to_owned(),
        confidence: 0.9,
        source: FactSource::UserEdit,
        version: 1,
        updated_at: Timestamp::UNIX_EPOCH,
        expires_at: None,
    }
}

criterion_group!(benches, limiter, prompt, red_flags);
criterion_main!(benches);
