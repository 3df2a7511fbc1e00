//! Every invariant is broken by the observation that it is there for, and by no other.

use std::time::Duration;

use clock::Instant;
use serde_json::json;

use super::*;
use crate::{
    expr::Settings,
    observation::ProcessSeen,
    record::{Event, Frame},
};

/// What devices saw, a second apart.
fn seen(events: Vec<(&str, What)>) -> Observation {
    let at = |n: usize| Instant::from_origin(Duration::from_secs(n as u64));
    let events: Vec<_> = events
        .into_iter()
        .enumerate()
        .map(|(n, (actor, what))| Event { at: at(n), actor: actor.to_owned(), what })
        .collect();
    Observation {
        began: Instant::ZERO,
        ended: at(events.len()),
        events,
        exchanges: Vec::new(),
        first_script: None,
        histories: Vec::new(),
        decisions: Vec::new(),
        histories_began: Instant::ZERO,
        metrics: None,
        panics: Some(Vec::new()),
        log: Vec::new(),
        process: None,
        steady: Vec::new(),
        settings: Settings::default(),
        usual_settings: Settings::default(),
        slack: Duration::ZERO,
    }
}

fn says() -> What {
    What::Sent("hello".to_owned())
}

fn frame(json: serde_json::Value) -> What {
    What::Frame(Frame::new(json, &mut String::new()))
}

fn done() -> What {
    frame(json!({"type": "done"}))
}

/// Returns the invariants that an observation breaks.
fn broken(observation: &Observation) -> Vec<String> {
    let transcript = Transcript::new(observation.began, &observation.events, &observation.exchanges);
    let checks = judge(observation, &transcript);
    checks.into_iter().filter(|check| !check.held).map(|check| check.id).collect()
}

#[test]
fn a_sound_turn_breaks_nothing() {
    let answer = frame(json!({"type": "message", "content": "Yes.", "turn": "t1", "session": "s1"}));

    assert!(
        broken(&seen(vec![
            ("ana.phone", What::Opened),
            ("ana.phone", says()),
            ("ana.phone", answer),
            ("ana.phone", done())
        ]))
        .is_empty()
    );
}

#[test]
fn a_message_without_an_end_is_seen() {
    assert_eq!(broken(&seen(vec![("ana.phone", says())])), [ONE_END]);
}

#[test]
fn a_second_end_is_seen() {
    assert_eq!(
        broken(&seen(vec![("ana.phone", says()), ("ana.phone", done()), ("ana.phone", done())])),
        [ONE_END]
    );
}

#[test]
fn a_bad_request_is_no_end_of_a_turn() {
    let refused = frame(json!({"type": "error", "code": "bad_request"}));

    assert_eq!(broken(&seen(vec![("ana.phone", says()), ("ana.phone", refused)])), [ONE_END]);
}

#[test]
fn words_after_the_end_are_seen() {
    let late = frame(json!({"type": "message", "content": "And another thing."}));

    assert_eq!(
        broken(&seen(vec![("ana.phone", says()), ("ana.phone", done()), ("ana.phone", late)])),
        [NOTHING_AFTER]
    );
}

#[test]
fn a_frame_that_reaches_two_users_is_seen() {
    let own = |user: &'static str| (user, frame(json!({"type": "done", "session": "s1"})));
    let events = vec![("ana.phone", says()), own("ana.phone"), ("bea.phone", says()), own("bea.phone")];

    assert_eq!(broken(&seen(events)), [OWN_FRAMES]);
}

#[test]
fn protocol_shown_to_a_user_is_seen() {
    for garbage in ["data: {}", "caf\u{fffd}", "<html>", "[DONE]", "hm</think>"] {
        let shown = frame(json!({"type": "message", "content": garbage}));

        assert_eq!(
            broken(&seen(vec![("ana.phone", says()), ("ana.phone", shown), ("ana.phone", done())])),
            [CLEAN_TEXT]
        );
    }
}

#[test]
fn a_panic_is_seen_where_it_can_be_seen() {
    let panicked = Observation { panics: Some(vec!["index out of bounds".to_owned()]), ..seen(vec![]) };
    let hidden = Observation { panics: None, ..seen(vec![]) };

    assert_eq!(broken(&panicked), [NO_PANIC]);
    assert!(broken(&hidden).is_empty());
}

#[test]
fn a_device_that_is_told_with_a_gap_or_twice_is_found_s9() {
    let told = |frames: &[serde_json::Value]| {
        let seat = crate::device::Seat::default();
        let frames = frames.iter().map(|json| ("ana.phone", What::Frame(seat.take(json.clone()))));
        broken(&seen(frames.collect()))
    };
    let welcome = json!({"type": "welcome", "epoch": "e", "offset": 3, "recovered": false});
    let notice = |offset: u64| json!({"type": "notice", "text": "a", "offset": offset});
    let piece =
        |index: u64, text: &str| json!({"type": "chunk", "message_id": "m", "index": index, "text": text});
    let ended = json!({"type": "done", "message_id": "m", "offset": 4});

    assert!(told(&[welcome.clone(), piece(0, "né"), piece(2, "w"), ended.clone(), notice(5)]).is_empty());
    for wrong in [
        vec![welcome.clone(), notice(5)],
        vec![welcome.clone(), notice(4), notice(4)],
        vec![welcome.clone(), piece(0, "né"), piece(0, "né")],
        vec![welcome.clone(), piece(0, "né"), piece(3, "w")],
        vec![welcome, piece(0, "né"), ended, piece(2, "w")],
    ] {
        assert_eq!(told(&wrong), [IN_ORDER], "{wrong:?}");
    }
}

/// What became of a process that may grow by ten bytes.
fn process(death: Option<&str>, memory: Option<(u64, u64)>) -> Observation {
    let process = ProcessSeen { death: death.map(ToOwned::to_owned), memory, growth_max: 10 };
    Observation { panics: None, process: Some(process), ..seen(vec![]) }
}

#[test]
fn a_process_must_not_panic_die_or_hoard_s9() {
    assert_eq!(broken(&process(None, Some((100, 110)))), [""; 0]);
    assert_eq!(broken(&process(None, Some((100, 111)))), [MEMORY_BOUNDED]);
    assert_eq!(broken(&process(None, Some((100, 50)))), [""; 0]);
    assert_eq!(broken(&process(Some("it ended with signal: 9"), None)), [LIVES_ON]);
    let panicked = Observation { panics: Some(vec!["panicked at x".to_owned()]), ..process(None, None) };
    assert_eq!(broken(&panicked), [NO_PANIC]);
}
