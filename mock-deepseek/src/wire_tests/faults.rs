//! Every fault of the catalogue, seen from a socket.

use std::{collections::BTreeMap, time::Duration};

use super::observe::{End, Observed, Seen, chat, observe, script};
use crate::{Carrier, Exchange, Fault, FaultInfo, How, Layer, Mode, WRITTEN_KEPT_MAX, catalogue, transcript};

const MINUTE: Duration = Duration::from_mins(1);

/// A request for a stream; for one JSON object when the fault happens to nothing else.
fn request(fault: &str) -> String {
    let single = catalogue().get(fault).is_some_and(|info| info.mode == Mode::Single);
    let extra = if single { "" } else { r#","stream":true"# };
    chat(extra, &format!("x-mock-fault: {fault}\r\n"))
}

fn see(fault: &str) -> Observed {
    observe(script(""), &request(fault), span(fault))
}

/// How long it takes until a fault has shown, with its defaults.
fn span(fault: &str) -> Duration {
    match fault {
        "early-headers-late-body" => 4 * MINUTE,
        "gateway-504" | "gateway-524" => 2 * MINUTE,
        "undici-300s" => 6 * MINUTE,
        _ => MINUTE,
    }
}

/// All faults that can be part of an answer on a plain socket; `secure` has those of TLS and HTTP/2.
fn inside() -> impl Iterator<Item = &'static FaultInfo> {
    let plain = |info: &&FaultInfo| matches!(info.carrier, Carrier::Any | Carrier::Http1);
    catalogue().iter().filter(|info| info.layer != Layer::Address).filter(plain)
}

/// Says how an exchange must stand in the journal while the client waits, and after it has left, to
/// judge by what the client saw.
fn ends(seen: &Seen) -> (Option<How>, Option<How>) {
    match seen.end {
        End::Closed | End::Reset => (Some(How::Cut), Some(How::Cut)),
        End::Open if whole(&seen.bytes()) => (Some(How::Completed), Some(How::Completed)),
        End::Open => (None, Some(How::ClientHungUp)),
    }
}

/// Says whether these bytes are a whole message of HTTP.
fn whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 4..]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if head.contains("transfer-encoding: chunked") {
        body == b"0\r\n\r\n" || body.ends_with(b"\r\n0\r\n\r\n")
    } else {
        length.is_some_and(|length| length.parse() == Ok(body.len()))
    }
}

fn assert_journal_agrees(id: &str, observed: &Observed) {
    let how = |exchanges: &[Exchange]| exchanges[0].end.map(|end| end.how);
    assert_eq!((how(&observed.journal), how(&observed.afterwards)), ends(&observed.seen), "{id}");
}

/// Too long to be read as a snapshot; each has tests of its own.
const LONG: [&str; 3] = ["infinite-stream", "repeat-loop", "token-drip"];

#[test]
fn each_fault_writes_what_its_snapshot_shows_m4() {
    for info in inside().filter(|info| !LONG.contains(&info.id)) {
        let seen = see(info.id).seen;

        insta::assert_snapshot!(format!("fault_{}", info.id), seen.story());
    }
}

#[test]
fn each_fault_fires_and_the_journal_knows_how_it_ended() {
    for info in inside() {
        let observed = see(info.id);

        let exchange = &observed.journal[0];
        let fired: Vec<_> = exchange.faults.iter().map(|fault| (fault.id, fault.fired)).collect();
        assert_eq!(fired, [(info.id, info.id != "token-drip" || exchange.written > 0)], "{}", info.id);
        let (kept, mut seen) = (exchange.written_bytes(), observed.seen.bytes());
        assert_eq!(exchange.written, seen.len() as u64, "{}", info.id);
        seen.truncate(WRITTEN_KEPT_MAX);
        assert!(kept == seen, "{}", info.id);
        assert_journal_agrees(info.id, &observed);
    }
}

#[test]
fn no_two_faults_write_the_same_m4() {
    let mut seen = BTreeMap::new();

    for info in catalogue().iter() {
        let fault = [Fault::new(info.id).unwrap()];
        let shown = transcript(&fault);
        assert_ne!(shown, transcript::shown(transcript::form(&fault), &[]), "{} changes nothing", info.id);
        assert_eq!(seen.insert(shown, info.id), None, "{}", info.id);
    }
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
fn faults_of_one_json_object_leave_streams_alone() {
    for info in catalogue().iter().filter(|info| info.mode == Mode::Single) {
        let request = chat(r#","stream":true"#, &format!("x-mock-fault: {}\r\n", info.id));
        let observed = observe(script(""), &request, MINUTE);

        assert!(!observed.journal[0].faults[0].fired, "{}", info.id);
        assert!(observed.seen.text().ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"), "{}", info.id);
    }
}

#[test]
fn the_journal_agrees_with_the_socket_when_the_reply_is_not_streamed() {
    for info in inside().filter(|info| info.mode == Mode::Any) {
        let observed = observe(script(""), &chat("", &format!("x-mock-fault: {}\r\n", info.id)), MINUTE);

        assert_eq!(observed.journal[0].written, observed.seen.bytes().len() as u64, "{}", info.id);
        assert_journal_agrees(info.id, &observed);
    }
}

#[test]
fn blank_lines_come_before_json_that_is_not_streamed() {
    let seen = observe(script(""), &chat("", "x-mock-fault: blank-lines-before-json\r\n"), MINUTE).seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [0, 3, 6, 9, 12]);
    assert!(seen.reads[1].1 == b"1\r\n\n\r\n" && seen.text().contains(r#""content":"It’s week 12.""#));
}
