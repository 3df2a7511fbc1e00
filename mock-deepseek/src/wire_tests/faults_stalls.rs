//! Faults of time and of the connection, beyond what each snapshot shows.

use std::{sync::Arc, time::Duration};

use clock::{Lab, Metered, Timestamp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::observe::{End, Observed, chat, observe, script};
use crate::{Exchange, How, MockDeepSeek};

const MINUTE: Duration = Duration::from_mins(1);

fn see(fault: &str, span: Duration) -> Observed {
    let request = chat(r#","stream":true"#, &format!("x-mock-fault: {fault}\r\n"));
    observe(script(""), &request, span)
}

fn seconds(observed: &Observed) -> Vec<u64> {
    observed.seen.reads.iter().map(|(at, _)| at.as_secs()).collect()
}

#[test]
fn an_idle_edge_closes_after_the_silence_that_is_asked_for_m4() {
    let observed = see("idle-edge-close;after_events=2;lasts=8s", MINUTE);

    let seen = &observed.seen;
    assert_eq!((seconds(&observed), seen.end, seen.ended.as_secs()), (vec![0], End::Closed, 8));
    assert!(seen.text().contains("It’s") && !seen.text().contains(" week"));
}

#[test]
fn an_edge_whose_client_left_first_did_not_close() {
    let observed = see("idle-edge-close;lasts=2m", MINUTE);

    assert!(!observed.afterwards[0].faults[0].fired);
    assert_eq!(observed.afterwards[0].end.unwrap().how, How::ClientHungUp);
}

#[test]
fn a_gateway_answers_only_after_its_patience_m4() {
    let observed = see("gateway-504;after=30s", MINUTE);

    assert_eq!(seconds(&observed), [30]);
    assert!(observed.seen.text().starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
}

#[test]
fn five_minutes_of_silence_can_hold_back_the_head_too_m4() {
    let observed = see("undici-300s;place=before-head", 6 * MINUTE);

    assert_eq!(seconds(&observed), [305]);
    assert!(observed.seen.text().ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

#[test]
fn a_head_that_is_held_back_counts_when_the_silence_begins() {
    let observed = see("undici-300s;place=before-head", MINUTE);

    assert!(observed.seen.reads.is_empty());
    assert!(observed.journal[0].faults[0].fired);
    assert_eq!(observed.afterwards[0].end.unwrap().how, How::ClientHungUp);
}

#[test]
fn silence_before_the_head_may_last_for_ever() {
    let observed = see("undici-300s;place=before-head;lasts=forever", 10 * MINUTE);

    assert!(observed.seen.reads.is_empty());
    assert!(observed.journal[0].faults[0].fired);
}

#[test]
fn a_burst_keeps_the_pace_of_the_reply_and_all_events_m4() {
    let paced = script("pace = { first_token = \"40s\" }\n");
    let request = chat(r#","stream":true"#, "x-mock-fault: proxy-burst\r\n");

    let observed = observe(paced, &request, MINUTE);

    assert_eq!((seconds(&observed), observed.journal[0].events), (vec![40], 7));
}

#[test]
fn a_burst_swallows_the_signs_of_life_of_the_queue() {
    let observed = see("sse-keepalive-comments;count=15, proxy-burst", MINUTE);

    assert_eq!(seconds(&observed), [30]);
    assert_eq!(observed.seen.text().matches(": keep-alive\n\n").count(), 15);
}

#[test]
fn heartbeats_may_be_events_of_another_kind_m4() {
    let observed = see("heartbeat-hides-stall;sign=ping;every=10s", MINUTE);

    assert_eq!(seconds(&observed), [0, 10, 20, 30, 40, 50, 60]);
    assert_eq!(observed.seen.text().matches("event: ping\ndata: {\"type\":\"ping\"}\n\n").count(), 6);
    assert_eq!(observed.journal[0].events, 3);
}

/// Asks once, takes the answer, asks again on the same connection; tells what came back for that.
fn ask_twice(fault: &str, headers: &str) -> (std::io::Result<Vec<u8>>, Vec<Exchange>) {
    let first = chat("", &format!("x-mock-fault: {fault}\r\n{headers}"));
    let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();
    runtime.block_on(async move {
        let builder = MockDeepSeek::builder().clock(Arc::new(lab.clock().clone()));
        let mock = builder.activity(lab.activity().clone()).start().await.unwrap();
        let stream = TcpStream::connect(mock.address()).await.unwrap();
        let mut stream: Metered = lab.activity().metered(stream).unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        let mut answer = vec![0; 64 * 1024];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200 OK"));
        // Minutes in a pool: the connection is still there.
        lab.advance(5 * MINUTE).await.unwrap();
        let again = stream.write_all(chat("", "").as_bytes()).await;
        let mut back = Vec::new();
        let outcome = match again {
            Ok(()) => stream.read_to_end(&mut back).await.map(|_| back),
            Err(error) => Err(error),
        };
        let journal = mock.journal();
        mock.stop().await;
        (outcome, journal)
    })
}

#[test]
fn a_stale_connection_gives_the_next_request_its_end_and_no_byte_m8() {
    let (outcome, journal) = ask_twice("stale-keepalive-reuse", "");

    assert_eq!(outcome.unwrap(), b"");
    assert_eq!((journal.len(), journal[0].end.unwrap().how), (1, How::Completed));
    assert!(journal[0].faults[0].fired);
}

#[test]
fn a_stale_connection_may_be_reset_m8() {
    let (outcome, _) = ask_twice("stale-keepalive-reuse;end=reset", "");

    assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn a_connection_that_was_not_to_be_kept_ends_by_itself() {
    let observed = observe(
        script(""),
        &chat("", "connection: close\r\nx-mock-fault: stale-keepalive-reuse;end=reset\r\n"),
        MINUTE,
    );

    assert_eq!(observed.seen.end, End::Closed);
}
