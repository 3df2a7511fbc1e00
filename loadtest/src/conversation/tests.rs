//! Conversations with stand-ins whose timing and faults are known exactly.

use std::time::Duration;

use clock::{Clock as _, ManualClock, Timestamp};
use tokio::io::{AsyncReadExt as _, DuplexStream};

use super::*;

const GAP: Duration = Duration::from_millis(20);
const CHUNK: &str = "data: {\"a\":1}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn conversations(clock: &Arc<ManualClock>, chunks: u64) -> Arc<Conversations> {
    let clock: SharedClock = Arc::<ManualClock>::clone(clock);
    Conversations::new(clock, Bytes::from_static(b"ask"), Expected::Chunks(chunks), true)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))
}

async fn asked(server: &mut DuplexStream) {
    let mut request = [0; 3];
    server.read_exact(&mut request).await.unwrap();
    assert_eq!(&request, b"ask");
}

async fn say(server: &mut DuplexStream, text: &str) {
    server.write_all(text.as_bytes()).await.unwrap();
}

/// Waits until the client has counted so many events, so that time may go on.
async fn seen(load: &Conversations, events: u64) {
    while load.record().window.events < events {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_constant_gap_is_measured_within_a_bucket_m18() {
    let (clock, chunks) = (clock(), 101);
    let load = conversations(&clock, chunks);
    let (mut client, mut server) = tokio::io::duplex(4096);
    let mut begun = false;

    let serve = async {
        asked(&mut server).await;
        say(&mut server, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        for n in 1..=chunks {
            say(&mut server, CHUNK).await;
            seen(&load, n).await;
            clock.jump(clock.now() + GAP);
        }
        say(&mut server, DONE).await;
        drop(server);
    };
    let (held, ()) = tokio::join!(load.hold(&mut client, &mut begun), serve);

    let record = load.record();
    assert_eq!((held.left, record.whole, record.broken.len()), (Ok(Left::Closed), 1, 0));
    assert_eq!((record.window.chunks(), record.window.gap.count()), (101, 101));
    for share in [0.0, 0.5, 0.99, 1.0] {
        let gap = record.window.gap.quantile_ms(share);
        assert!((gap / 20.0 - 1.0).abs() < 0.001, "{gap} at {share}");
    }
}

/// Plays one answer and returns what became of it.
async fn play(answer: &str) -> Result<Left, Broken> {
    let load = conversations(&clock(), 3);
    let (mut client, mut server) = tokio::io::duplex(4096);
    let mut begun = false;
    let serve = async {
        asked(&mut server).await;
        say(&mut server, &format!("HTTP/1.1 200 OK\r\n\r\n{answer}")).await;
        drop(server);
    };
    tokio::join!(load.hold(&mut client, &mut begun), serve).0.left
}

#[tokio::test]
async fn a_stand_in_that_drops_the_last_chunk_is_broken_m18() {
    assert_eq!(play(&[CHUNK, CHUNK, DONE].concat()).await, Err(Broken::TooFew));
}

#[tokio::test]
async fn a_stand_in_that_leaves_out_done_is_broken_m18() {
    assert_eq!(play(&[CHUNK, CHUNK, CHUNK].concat()).await, Err(Broken::NotDone));
}

#[tokio::test]
async fn a_sound_stand_in_is_whole() {
    assert_eq!(play(&[CHUNK, CHUNK, CHUNK, DONE].concat()).await, Ok(Left::Closed));
}

#[tokio::test]
async fn a_connection_that_is_closed_between_two_answers_breaks_nothing() {
    let load = conversations(&clock(), 1);
    let (mut client, mut server) = tokio::io::duplex(4096);
    let mut begun = false;

    let serve = async {
        asked(&mut server).await;
        let body = [CHUNK, DONE].concat();
        say(&mut server, &format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        asked(&mut server).await;
        drop(server);
    };
    let (held, ()) = tokio::join!(load.hold(&mut client, &mut begun), serve);

    assert_eq!(held.left, Ok(Left::Closed));
    assert_eq!(load.record().whole, 1);
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_first_answer_is_broken() {
    let load = conversations(&clock(), 1);
    let (mut client, mut server) = tokio::io::duplex(4096);
    let mut begun = false;

    let serve = async {
        asked(&mut server).await;
        drop(server);
    };
    let (held, ()) = tokio::join!(load.hold(&mut client, &mut begun), serve);

    assert_eq!(held.left, Err(Broken::Cut));
}
