//! What an exchange of replicas promises, in memory and in Redis alike (F88).

use std::{sync::Arc, time::Duration};

use clock::{Clock as _, SharedClock, SystemClock};
use metrics_util::debugging::DebuggingRecorder;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config as ProptestConfig, TestRunner},
};
use secrecy::SecretString;
use server::{
    exchange::{
        Appended, Draft, Exchange, Item, LOG_BYTES_MAX, Listening, MemoryExchange, News, Page, Place,
        RedisExchange, Unreachable, Window,
    },
    ids::{MessageId, UserId},
    shared::{REST, Redis as Shared},
};

use crate::support::{counted::counted, redis::Redis};

/// What a call may take here: no verdict rests on it.
const PATIENCE: Duration = Duration::from_secs(20);
const WINDOW: Window = Window { frames: 4, life: Duration::from_hours(1) };

fn in_memory() -> MemoryExchange {
    MemoryExchange::new(Arc::new(SystemClock::new()), WINDOW)
}

fn in_redis(redis: &Redis, patience: Duration) -> RedisExchange {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let shared = Shared::new(&SecretString::from(redis.url()), Arc::clone(&clock), patience).unwrap();
    RedisExchange::new(shared, clock, WINDOW)
}

/// Tests both engines with the same promise.
macro_rules! promised {
    ($($name:ident: $promise:ident,)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::$promise(&super::in_memory()).await })*
        }
        mod redis {
            $(#[tokio::test] async fn $name() {
                let Some(redis) = super::Redis::start() else { return };
                super::$promise(&super::in_redis(&redis, super::PATIENCE)).await
            })*
        }
    };
}

promised! {
    a_log_is_begun_once_f88: begun_once,
    what_is_told_has_places_in_order_f88: places,
    what_is_kept_is_bounded_f89: bounds,
    a_draft_grows_and_ends_f89: drafts,
    a_log_that_is_begun_anew_forgets_f89: renewal,
    whoever_listens_hears_all_in_order_f90: news,
    one_replica_has_the_right_to_a_turn_f90: rights,
}

fn kept(text: &str) -> Item {
    Item::Kept { text: text.to_owned(), ends: None, forgets: false }
}

fn piece(of: MessageId, index: usize, text: &str) -> Item {
    Item::Piece { of, index, text: text.to_owned() }
}

fn place(epoch: &str, offset: u64) -> Place {
    Place { epoch: epoch.to_owned(), offset }
}

async fn page(exchange: &dyn Exchange, user: UserId, seen: &Place) -> Page {
    exchange.open(user, seen, None).await.unwrap().unwrap()
}

fn texts(page: &Page) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.text.as_str()).collect()
}

async fn begun_once(exchange: &dyn Exchange) {
    let (ana, nowhere) = (UserId::random(), Place::default());
    assert_eq!(exchange.open(ana, &nowhere, None).await, Ok(None));
    assert_eq!(exchange.append(ana, "e", ("one", &[kept("a")])).await, Ok(Appended::Gone));

    let (one, other) =
        tokio::join!(exchange.open(ana, &nowhere, Some("e")), exchange.open(ana, &nowhere, Some("f")));

    let empty = Page { place: place("e", 0), entries: Vec::new(), draft: None };
    assert_eq!((one.unwrap(), other.unwrap()), (Some(empty.clone()), Some(empty)));
}

async fn places(exchange: &dyn Exchange) {
    let ana = UserId::random();
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();

    let first = exchange.append(ana, "e", ("one", &[kept("a"), kept("é \"b\"\n")])).await;
    let second = exchange.append(ana, "e", ("other", &[kept("c")])).await;

    assert_eq!((first, second), (Ok(Appended::Behind(0)), Ok(Appended::Behind(2))));
    assert_eq!(exchange.append(ana, "f", ("one", &[kept("d")])).await, Ok(Appended::Gone));
    let all = page(exchange, ana, &Place::default()).await;
    assert_eq!((all.place.clone(), texts(&all)), (place("e", 3), vec!["a", "é \"b\"\n", "c"]));
    assert_eq!(texts(&page(exchange, ana, &place("e", 2)).await), ["c"]);
    assert!(texts(&page(exchange, ana, &place("e", 3)).await).is_empty());
    assert_eq!(
        texts(&page(exchange, ana, &place("another", 2)).await).len(),
        3,
        "that place says nothing here"
    );
    assert_eq!(exchange.open(UserId::random(), &Place::default(), None).await, Ok(None));
}

async fn bounds(exchange: &dyn Exchange) {
    let ana = UserId::random();
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();
    for n in 0..10 {
        exchange.append(ana, "e", ("one", &[kept(&n.to_string())])).await.unwrap();
    }
    let few = page(exchange, ana, &place("e", 0)).await;
    assert_eq!((few.place.offset, texts(&few)), (10, vec!["6", "7", "8", "9"]));

    let long = "x".repeat(LOG_BYTES_MAX / 2);
    exchange.append(ana, "e", ("one", &[kept(&long), kept(&long)])).await.unwrap();
    exchange.append(ana, "e", ("one", &[kept("last")])).await.unwrap();
    let heavy = page(exchange, ana, &place("e", 0)).await;
    assert_eq!((heavy.place.offset, texts(&heavy)), (13, vec![long.as_str(), "last"]));
}

async fn drafts(exchange: &dyn Exchange) {
    let (ana, one, other) = (UserId::random(), MessageId::random(), MessageId::random());
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();
    let draft = async || page(exchange, ana, &Place::default()).await.draft;
    let told = |of: MessageId, text: &str| Some(Draft { of, text: text.to_owned() });

    exchange.append(ana, "e", ("one", &[piece(one, 0, "né "), piece(one, 3, "w")])).await.unwrap();
    assert_eq!(draft().await, told(one, "né w"));
    exchange.append(ana, "e", ("one", &[kept("a"), piece(one, 4, "!")])).await.unwrap();
    assert_eq!(draft().await, told(one, "né w!"));
    exchange.append(ana, "e", ("one", &[piece(other, 0, "again")])).await.unwrap();
    assert_eq!(draft().await, told(other, "again"));
    let end = |ends| Item::Kept { text: "done".to_owned(), ends: Some(ends), forgets: false };
    exchange.append(ana, "e", ("one", &[end(one)])).await.unwrap();
    assert_eq!(draft().await, told(other, "again"), "another answer has ended");
    exchange.append(ana, "e", ("one", &[end(other)])).await.unwrap();
    assert_eq!(draft().await, None);
    exchange.append(ana, "e", ("one", &[piece(one, 0, "a"), piece(one, 2, "c")])).await.unwrap();
    assert_eq!(draft().await, None, "what lies between is not known");
    exchange.append(ana, "e", ("one", &[piece(one, 3, "d")])).await.unwrap();
    assert_eq!(draft().await, None);
}

async fn renewal(exchange: &dyn Exchange) {
    let ana = UserId::random();
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();
    exchange.append(ana, "e", ("one", &[kept("a"), kept("b")])).await.unwrap();
    let draft = Draft { of: MessageId::random(), text: "so far".to_owned() };

    exchange.renew(ana, &place("f", 7), Some(&draft)).await.unwrap();

    assert_eq!(exchange.append(ana, "e", ("one", &[kept("c")])).await, Ok(Appended::Gone));
    assert_eq!(exchange.append(ana, "f", ("one", &[kept("d")])).await, Ok(Appended::Behind(7)));
    let page = page(exchange, ana, &place("e", 2)).await;
    assert_eq!(
        (page.place.clone(), texts(&page), page.draft.clone()),
        (place("f", 8), vec!["d"], Some(draft))
    );
}

async fn news(exchange: &dyn Exchange) {
    let (ana, eva) = (UserId::random(), UserId::random());
    let (mut one, mut other) = (exchange.listen(ana).await.unwrap(), exchange.listen(ana).await.unwrap());
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();
    exchange.open(eva, &Place::default(), Some("e")).await.unwrap();
    let told = vec![kept("a"), piece(MessageId::random(), 0, "b")];
    exchange.append(ana, "e", ("one", &told)).await.unwrap();
    exchange.append(eva, "e", ("one", &[kept("for eva")])).await.unwrap();
    exchange.append(ana, "e", ("other", &[kept("c")])).await.unwrap();
    let reply = MessageId::random();
    exchange.stop(ana, reply).await.unwrap();

    let by = |by: &str, offset, items| News::Told { behind: place("e", offset), by: by.to_owned(), items };
    let expected = [News::Renewed, by("one", 0, told), by("other", 1, vec![kept("c")]), News::Stop(reply)];
    for listening in [&mut one, &mut other] {
        for news in &expected {
            assert_eq!(&next(listening).await, news);
        }
    }
}

async fn next(listening: &mut Listening) -> News {
    clock::timeout(&SystemClock::new(), PATIENCE, listening.next()).await.unwrap()
}

async fn rights(exchange: &dyn Exchange) {
    let (ana, long, short) = (UserId::random(), Duration::from_hours(1), Duration::from_millis(1));
    assert_eq!(exchange.hold(ana, "one", long).await, Ok(true));
    assert_eq!(exchange.hold(ana, "one", long).await, Ok(true), "it is held on to");
    assert_eq!(exchange.hold(ana, "other", long).await, Ok(false));
    assert_eq!(exchange.hold(UserId::random(), "other", long).await, Ok(true));

    exchange.release(ana, "other").await.unwrap();
    assert_eq!(exchange.hold(ana, "other", long).await, Ok(false), "it was not theirs to give back");
    exchange.release(ana, "one").await.unwrap();
    assert_eq!(exchange.hold(ana, "other", short).await, Ok(true));
    let clock = SystemClock::new();
    let freed = async { while exchange.hold(ana, "one", long).await != Ok(true) {} };
    clock::timeout(&clock, PATIENCE, freed).await.unwrap();
}

/// A way to tell something: kept texts, and pieces that lengthen the draft or begin one.
fn items() -> impl Strategy<Value = Vec<Item>> {
    let ids = || (0..2u8).prop_map(|n| MessageId::named(UserId(uuid::Uuid::nil()), &n.to_string()));
    let kept = ("[a-zé ]{0,12}", proptest::option::of(ids()), proptest::bool::weighted(0.1))
        .prop_map(|(text, ends, forgets)| Item::Kept { text, ends, forgets });
    let piece =
        (ids(), 0..3usize, "[a-zé ]{1,8}").prop_map(|(of, index, text)| Item::Piece { of, index, text });
    proptest::collection::vec(prop_oneof![kept, piece], 1..5)
}

#[tokio::test]
async fn both_engines_keep_the_same_whatever_is_told_f88() {
    let Some(redis) = Redis::start() else { return };
    let (memory, redis) = (in_memory(), in_redis(&redis, PATIENCE));
    let mut runner = TestRunner::new(ProptestConfig::default());
    for _ in 0..40 {
        let told = proptest::collection::vec(items(), 1..12).new_tree(&mut runner).unwrap().current();
        let user = UserId::random();
        for exchange in [&memory as &dyn Exchange, &redis] {
            exchange.open(user, &Place::default(), Some("e")).await.unwrap();
            for items in &told {
                exchange.append(user, "e", ("one", items)).await.unwrap();
            }
        }
        for offset in [0, 3, 1000] {
            let (one, other) = (
                page(&memory, user, &place("e", offset)).await,
                page(&redis, user, &place("e", offset)).await,
            );
            assert_eq!(
                (&one.place, texts(&one), &one.draft),
                (&other.place, texts(&other), &other.draft),
                "{told:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_redis_that_went_and_came_again_is_heard_again_f88() {
    let Some(mut redis) = Redis::start() else { return };
    let recorder = DebuggingRecorder::new();
    let (metrics, _counting) = (recorder.snapshotter(), metrics::set_default_local_recorder(&recorder));
    let exchange = in_redis(&redis, Duration::from_millis(500));
    let (ana, clock) = (UserId::random(), SystemClock::new());
    exchange.open(ana, &Place::default(), Some("e")).await.unwrap();
    let mut listening = exchange.listen(ana).await.unwrap();

    redis.kill();
    assert_eq!(exchange.append(ana, "e", ("one", &[kept("a")])).await, Err(Unreachable));
    assert_eq!(exchange.listen(UserId::random()).await.err(), Some(Unreachable));
    redis.start_again();

    assert_eq!(next(&mut listening).await, News::Missed, "whoever listened is told of the gap");
    assert_eq!(counted(&metrics), [("redis_lost_total".to_owned(), 2)].into(), "a call, and the line itself");
    let again = async {
        while exchange.open(ana, &place("e", 0), Some("f")).await.is_err() {
            clock.sleep(REST / 10).await;
        }
    };
    clock::timeout(&clock, PATIENCE, again).await.expect("it is asked again");
    assert_eq!(exchange.append(ana, "f", ("one", &[kept("b")])).await, Ok(Appended::Behind(0)));
    loop {
        // What was said while the line was made comes first.
        if matches!(next(&mut listening).await, News::Told { .. }) {
            break;
        }
    }
}
