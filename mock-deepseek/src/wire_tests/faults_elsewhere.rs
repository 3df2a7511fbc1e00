//! Faults on the other forms of the API: what has a place there happens, what has none does not, and the
//! journal says so.

use std::{collections::BTreeMap, time::Duration};

use super::observe::{observe, script};
use crate::{Carrier, Fault, Layer, catalogue};

const SPAN: Duration = Duration::from_mins(5);

/// They happen to `choices`, `delta` or `finish_reason`, which the other forms do not have.
const CHAT_ONLY: [&str; 14] = [
    "choices-missing",
    "content-object",
    "content-wrong-type",
    "delta-missing",
    "delta-null",
    "duplicate-role",
    "empty-choices-chunk",
    "finish-empty-string",
    "gemini-empty-stop",
    "malformed-function-call",
    "nan-json",
    "tool-args-truncated",
    "tool-index-broken",
    "usage-chunk-last",
];

fn request(path: &str, fault: &str, stream: bool) -> String {
    let body = match path {
        "/responses" => format!(r#"{{"model":"deepseek-flash","input":"hi","stream":{stream}}}"#),
        _ => format!(
            r#"{{"model":"deepseek-flash","max_tokens":4096,"messages":[{{"role":"user","content":"hi"}}],"stream":{stream}}}"#
        ),
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\nx-mock-fault: {fault}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Returns which faults did not happen on a path.
fn without_effect(path: &str) -> Vec<&'static str> {
    let inside = catalogue().iter().filter(|info| {
        let reachable = matches!(info.carrier, Carrier::Any | Carrier::Http1);
        reachable && info.layer != Layer::Address && Fault::new(info.id).unwrap().inside().is_ok()
    });
    let quiet = inside.filter(|info| {
        let short =
            BTreeMap::from([("huge-line", "huge-line;bytes=100"), ("repeat-loop", "repeat-loop;tokens=20")]);
        let fault = short.get(info.id).copied().unwrap_or(info.id);
        let fired = |stream| {
            let observed = observe(script(""), &request(path, fault, stream), SPAN);
            let fired = observed.afterwards[0].faults.iter().all(|fault| fault.fired);
            let sound = || observe(script(""), &request(path, "", stream), SPAN).seen.bytes();
            assert!(fired || observed.seen.bytes() == sound(), "{fault} changes what it does not tell");
            fired
        };
        // Both forms are looked at, whatever the first says.
        let (streamed, single) = (fired(true), fired(false));
        !streamed && !single
    });
    quiet.map(|info| info.id).collect()
}

#[test]
fn of_all_faults_only_those_of_chunks_have_no_place_in_messages_m5() {
    assert_eq!(without_effect("/anthropic/v1/messages"), CHAT_ONLY);
}

#[test]
fn of_all_faults_only_those_of_chunks_and_done_have_no_place_in_responses_m5() {
    let mut quiet = [CHAT_ONLY.as_slice(), &["eof-no-done"]].concat();
    quiet.sort_unstable();

    assert_eq!(without_effect("/responses"), quiet);
}

#[test]
fn the_line_with_the_name_of_an_event_is_in_the_style_of_the_others_m5() {
    let seen = |fault| {
        let request = request("/anthropic/v1/messages", fault, true);
        observe(script(""), &request, SPAN).seen.text()
    };

    assert!(
        seen("crlf").contains("event: ping\r\ndata: {\"type\":\"ping\"}\r\n\r\n\r\n"),
        "{}",
        seen("crlf")
    );
    assert!(seen("data-no-space").contains("event:ping\ndata:{\"type\":\"ping\"}\n\n\r\n"));
    assert!(seen("line-split").contains("event: ping\ndat\r\n"), "{}", seen("line-split"));
}

#[test]
fn a_text_without_end_is_told_in_the_form_that_was_asked_for_m5() {
    let request = request("/anthropic/v1/messages", "infinite-stream", true);

    let text = observe(script(""), &request, Duration::from_secs(1)).seen.text();

    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"#;
    assert!(text.matches(delta).count() > 10 && !text.contains("message_stop"), "{text}");
}
