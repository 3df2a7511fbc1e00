//! Every fault of the catalogue, seen from a socket.

use std::{collections::BTreeMap, time::Duration};

use super::observe::{Observed, chat, observe, script};
use crate::{Carrier, Fault, FaultInfo, How, Mode, WRITTEN_KEPT_MAX, catalogue, transcript};

const MINUTE: Duration = Duration::from_mins(1);

fn request(fault: &str) -> String {
    chat(r#","stream":true"#, &format!("x-mock-fault: {fault}\r\n"))
}

fn see(fault: &str) -> Observed {
    observe(script(""), &request(fault), MINUTE)
}

/// What can happen on a plain socket; `secure` has the rest.
fn over_http1() -> impl Iterator<Item = &'static FaultInfo> {
    catalogue().iter().filter(|info| matches!(info.carrier, Carrier::Any | Carrier::Http1))
}

/// The faults that never come to an end by themselves.
const ENDLESS: [&str; 7] = [
    "accept-no-answer",
    "infinite-stream",
    "keepalive-only-forever",
    "socket-open-after-done",
    "stall",
    "stall-mid-reasoning",
    "token-drip",
];
/// The faults after which the connection is gone.
const CUT: [&str; 4] = ["bad-chunk-size", "chunked-cut", "cl-too-short", "tcp-rst-mid-stream"];

#[test]
fn each_fault_writes_what_its_snapshot_shows_m4() {
    for info in over_http1().filter(|info| !["token-drip", "infinite-stream"].contains(&info.id)) {
        let seen = see(info.id).seen;

        insta::assert_snapshot!(format!("fault_{}", info.id), seen.story());
    }
}

#[test]
fn each_fault_fires_and_the_journal_knows_how_it_ended() {
    for info in over_http1() {
        let observed = see(info.id);

        let exchange = &observed.journal[0];
        let fired: Vec<_> = exchange.faults.iter().map(|fault| (fault.id, fault.fired)).collect();
        assert_eq!(fired, [(info.id, info.id != "token-drip" || exchange.written > 0)], "{}", info.id);
        let (kept, mut seen) = (exchange.written_bytes(), observed.seen.bytes());
        assert_eq!(exchange.written, seen.len() as u64, "{}", info.id);
        seen.truncate(WRITTEN_KEPT_MAX);
        assert!(kept == seen, "{}", info.id);
        let ended = |exchanges: &[crate::Exchange]| exchanges[0].end.map(|end| end.how);
        let expected = match info.id {
            id if ENDLESS.contains(&id) => (None, Some(How::ClientHungUp)),
            id if CUT.contains(&id) => (Some(How::Cut), Some(How::Cut)),
            _ => (Some(How::Completed), Some(How::Completed)),
        };
        assert_eq!((ended(&observed.journal), ended(&observed.afterwards)), expected, "{}", info.id);
    }
}

#[test]
fn no_two_faults_write_the_same_m4() {
    let mut seen = BTreeMap::new();

    for info in catalogue().iter() {
        let other = seen.insert(transcript(&[Fault::new(info.id).unwrap()]), info.id);
        assert_eq!(other, None, "{}", info.id);
    }

    assert!(!seen.contains_key(&transcript(&[])), "a fault changes nothing");
}

#[test]
fn a_drip_writes_a_byte_a_second() {
    let seen = see("token-drip").seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, bytes)| (at.as_secs(), bytes.len())).collect();
    assert_eq!(times.len(), 61);
    assert!(
        times[1..].iter().zip(1..).all(|(&read, second)| read == (second, "1\r\nd\r\n".len())),
        "{times:?}"
    );
}

#[test]
fn a_drip_of_events_writes_an_event_a_second() {
    let observed = see("token-drip;unit=event");

    let times: Vec<_> = observed.seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!((times, observed.journal[0].events), ((0..7).collect(), 7));
}

#[test]
fn an_infinite_stream_goes_on_as_long_as_the_client_stays() {
    let observed = see("infinite-stream;every=1s");

    assert_eq!(observed.seen.text().matches(r#""content":" again""#).count(), 60);
    assert_eq!(observed.journal[0].events, 4 + 60);
}

#[test]
fn a_stall_ends_at_its_time_and_the_reply_goes_on() {
    let seen = see("stall;after_events=2;lasts=8s").seen;

    assert_eq!(seen.reads.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 8]);
    assert!(seen.text().ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

#[test]
fn a_stall_and_a_reset_compose_m5() {
    let observed = see("tcp-rst-mid-stream;after_events=3, stall;after_events=3;lasts=5s");

    let exchange = &observed.journal[0];
    assert_eq!((observed.seen.end, observed.seen.ended.as_secs()), (super::observe::End::Reset, 5));
    assert!(exchange.faults.iter().all(|fault| fault.fired), "{:?}", exchange.faults);
}

#[test]
fn thinking_that_stalls_behind_comments_composes_m5() {
    let observed = see("sse-keepalive-comments, stall-mid-reasoning, crlf");

    let text = observed.seen.text();
    assert_eq!(
        (text.matches(": keep-alive\n\n").count(), text.matches(r#""reasoning_content":""#).count()),
        (3, 4)
    );
    assert!(observed.journal[0].faults.iter().all(|fault| fault.fired));
}

#[test]
fn a_fault_without_a_place_does_not_fire() {
    let observed = see("tcp-rst-mid-stream;after_events=100");

    let exchange = &observed.journal[0];
    assert!(!exchange.faults[0].fired);
    assert_eq!(exchange.end.unwrap().how, How::Completed);
}

#[test]
fn a_fault_whose_client_left_before_does_not_fire() {
    let observed = observe(script(""), &request("stall;lasts=100s, eof-no-finish"), MINUTE);

    let fired: Vec<_> = observed.afterwards[0].faults.iter().map(|fault| fault.fired).collect();
    assert_eq!(fired, [true, false]);
}

#[test]
fn faults_of_a_stream_leave_other_replies_alone() {
    for info in catalogue().iter().filter(|info| info.mode == Mode::Stream) {
        let observed = observe(script(""), &chat("", &format!("x-mock-fault: {}\r\n", info.id)), MINUTE);

        assert!(!observed.journal[0].faults[0].fired, "{}", info.id);
        assert_eq!(observed.journal[0].end.unwrap().how, How::Completed, "{}", info.id);
    }
}

#[test]
fn blank_lines_come_before_json_that_is_not_streamed() {
    let seen = observe(script(""), &chat("", "x-mock-fault: blank-lines-before-json\r\n"), MINUTE).seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [0, 3, 6, 9, 12]);
    assert!(seen.reads[1].1 == b"1\r\n\n\r\n" && seen.text().contains(r#""content":"It’s week 12.""#));
}
