//! Sound replies, to the byte (DEEPSEEK A5, A6).

use std::time::Duration;

use super::observe::{End, chat, observe, post, script};
use crate::{How, Script};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_plain_stream_m3() {
    let seen = observe(script(""), &chat(r#","stream":true"#, ""), SECOND).seen;

    insta::assert_snapshot!("plain_stream", seen.full_story());
}

#[test]
fn a_thinking_stream_with_usage_in_every_chunk_m3() {
    let script = Script::from_toml("[default]\nreply = { text = \"Yes.\", thinking = \"A week\" }").unwrap();
    let request = chat(r#","stream":true,"stream_options":{"include_usage":true}"#, "");

    insta::assert_snapshot!("thinking_stream", observe(script, &request, SECOND).seen.full_story());
}

#[test]
fn a_reply_that_is_not_streamed_m3() {
    insta::assert_snapshot!("single", observe(script(""), &chat("", ""), SECOND).seen.full_story());
}

#[test]
fn a_thinking_reply_that_is_not_streamed_m3() {
    let script = Script::from_toml("[default]\nreply = { text = \"Yes.\", thinking = \"A week\" }").unwrap();

    let text = observe(script, &chat("", ""), SECOND).seen.text();

    assert!(
        text.contains(r#""message":{"role":"assistant","content":"Yes.","reasoning_content":"A week"}"#),
        "{text}"
    );
    assert!(text.contains(r#""completion_tokens_details":{"reasoning_tokens":2}"#), "{text}");
}

#[test]
fn without_a_script_the_same_seed_answers_the_same() {
    let seen = || observe(Script::default(), &chat(r#","stream":true"#, ""), SECOND).seen.text();

    assert_eq!(seen(), seen());
    assert!(seen().contains("reasoning_content") && seen().ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

#[test]
fn the_pace_is_that_of_the_script() {
    let script = script("pace = { first_token = \"300ms\", gap = \"20ms\" }\n");

    let seen = observe(script, &chat(r#","stream":true"#, ""), SECOND).seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_millis()).collect();
    assert_eq!(times, [0, 300, 320, 340, 360]);
}

#[test]
fn each_event_can_be_written_by_itself_m18() {
    let writes = |pace: &str| {
        let observed = observe(script(pace), &chat(r#","stream":true"#, ""), SECOND);
        (observed.journal[0].events, observed.journal[0].writes.len())
    };

    assert_eq!(writes(""), (7, 1), "together");
    assert_eq!(
        writes("pace = { flush = \"event\" }\n"),
        (7, 8),
        "the head with the first, the end of the body last"
    );
}

#[test]
fn an_unstreamed_reply_takes_as_long_as_its_tokens() {
    let script = script("pace = { first_token = \"300ms\", gap = \"20ms\" }\n");

    let seen = observe(script, &chat("", ""), SECOND).seen;

    assert_eq!(seen.reads.iter().map(|(at, _)| at.as_millis()).collect::<Vec<_>>(), [0, 360]);
}

#[test]
fn a_connection_carries_many_requests_until_one_says_close() {
    let streamed = chat(r#","stream":true"#, "");
    let requests = [streamed.clone(), chat("", ""), chat("", "connection: close\r\n")].concat();

    let observed = observe(script(""), &requests, SECOND);

    let text = observed.seen.text();
    assert_eq!((text.matches("HTTP/1.1 200 OK").count(), observed.seen.end), (3, End::Closed));
    assert!(text.contains("connection: close") && !text.contains("content-length: 0"), "{text}");
    let order: Vec<_> = observed.journal.iter().map(|e| (e.number, e.connection, e.nth)).collect();
    assert_eq!(order, [(1, 1, 1), (2, 1, 2), (3, 1, 3)]);
    assert!(observed.journal.iter().all(|exchange| exchange.end.unwrap().how == How::Completed));
}

#[test]
fn the_journal_tells_what_was_written() {
    let observed = observe(script(""), &chat(r#","stream":true"#, "x-a: b\r\n"), SECOND);

    let exchange = &observed.journal[0];
    assert_eq!(exchange.written_bytes(), observed.seen.bytes());
    assert_eq!((exchange.written, exchange.events), (observed.seen.bytes().len() as u64, 7));
    assert_eq!(exchange.json.as_ref().unwrap()["model"], "deepseek-flash");
    assert!(exchange.headers.contains(&("x-a".into(), "b".into())));
    assert!(exchange.headers.contains(&("authorization".into(), "Bearer ****".into())));
}

#[test]
fn max_tokens_cuts_the_reply() {
    let text = observe(script(""), &chat(r#","max_tokens":2"#, ""), SECOND).seen.text();

    assert!(
        text.contains(r#""content":"It’s week"}"#) && text.contains(r#""finish_reason":"length""#),
        "{text}"
    );
}

#[test]
fn the_model_is_answered_without_the_faults_behind_it() {
    let body =
        r#"{"model":"deepseek-v4-flash+crlf","messages":[{"role":"user","content":"x"}],"stream":true}"#;

    let text = observe(script(""), &post(body, ""), SECOND).seen.text();

    assert!(
        text.contains(r#""model":"deepseek-v4-flash""#) && text.contains("data: [DONE]\r\n\r\n"),
        "{text}"
    );
}
