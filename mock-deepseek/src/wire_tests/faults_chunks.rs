//! Faults of framing and of chunk contents, in the forms that their parameters choose.

use std::time::Duration;

use serde_json::Value;

use super::observe::{Observed, chat, observe, script};

const MINUTE: Duration = Duration::from_mins(1);

fn see(fault: &str, body: &str) -> Observed {
    observe(script(""), &chat(body, &format!("x-mock-fault: {fault}\r\n")), MINUTE)
}

fn stream(fault: &str) -> String {
    see(fault, r#","stream":true"#).seen.text()
}

/// Returns the body of a reply that is not streamed.
fn whole(fault: &str) -> String {
    let text = see(fault, "").seen.text();
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let line = body.split("\r\n").find(|line| line.starts_with('{')).unwrap();
    line.to_owned()
}

/// Returns the body of a chunked answer whose lines do not end in CR LF.
fn unchunked(text: &str) -> String {
    let body = text.split_once("\r\n\r\n").unwrap().1;
    body.split("\r\n").skip(1).step_by(2).collect()
}

/// Returns the `data:` payloads that are JSON.
fn chunks(text: &str) -> Vec<Value> {
    let payloads = text.lines().filter_map(|line| line.strip_prefix("data: "));
    payloads.filter_map(|payload| serde_json::from_str(payload.trim_end()).ok()).collect()
}

/// Returns the members of the tool calls of a stream, in order.
fn calls(fault: &str) -> Vec<Value> {
    chunks(&stream(fault))
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0").cloned())
        .collect()
}

#[test]
fn choices_can_be_null_or_missing_in_a_whole_reply_too_m4() {
    let null: Value = serde_json::from_str(&whole("choices-null;error=upstream failed")).unwrap();
    let missing: Value = serde_json::from_str(&whole("choices-missing")).unwrap();

    assert!(null["choices"].is_null() && null.as_object().unwrap().contains_key("choices"));
    assert_eq!(null["error"]["message"], "upstream failed");
    assert!(!missing.as_object().unwrap().contains_key("choices"));
    assert_eq!(missing["error"]["message"], "Provider returned an error");
    assert_eq!(
        (&null["usage"]["completion_tokens"], &null["object"]),
        (&4.into(), &"chat.completion".into())
    );
}

#[test]
fn numbers_that_are_none_stand_in_a_whole_reply_too_m4() {
    let body = whole("nan-json");

    assert!(body.contains(r#""logprob":NaN"#) && body.contains(r#""logprob":-Infinity"#), "{body}");
    assert!(serde_json::from_str::<Value>(&body).is_err());
}

#[test]
fn an_empty_finish_reason_is_everywhere_but_at_the_end_m4() {
    let chunks = chunks(&stream("finish-empty-string"));

    let reasons: Vec<_> = chunks.iter().map(|chunk| chunk["choices"][0]["finish_reason"].clone()).collect();
    assert_eq!(reasons, ["", "", "", "", "", "stop"]);
}

#[test]
fn tool_calls_lose_their_index_or_their_ids_m4() {
    let index = |fault: &str| calls(fault).iter().map(|call| call["index"].clone()).collect::<Vec<_>>();
    let ids =
        |fault: &str| calls(fault).iter().filter_map(|call| call.get("id").cloned()).collect::<Vec<_>>();

    assert_eq!(index("tool-index-broken"), vec![Value::from(0); 6]);
    assert_eq!(index("tool-index-broken;broken=index-missing"), vec![Value::Null; 6]);
    assert_eq!(index("tool-index-broken;broken=id-blank"), [0, 0, 0, 1, 1, 1]);
    assert_eq!(ids("tool-index-broken;broken=id-blank"), ["", ""]);
    assert_eq!(ids("tool-index-broken;broken=id-repeated"), ["call_00_mk7Qw2uXc1"; 2]);
}

#[test]
fn arguments_that_are_cut_come_with_finish_length_m4() {
    let text = stream("tool-args-truncated");

    let arguments: String = calls("tool-args-truncated")
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(arguments, r#"{"city":"#);
    assert!(text.contains(r#""finish_reason":"length""#) && text.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

#[test]
fn a_hollow_turn_has_a_role_a_reason_and_no_text_m4() {
    let empty = chunks(&stream("gemini-empty-stop"));
    let malformed: Value = serde_json::from_str(&whole("malformed-function-call")).unwrap();

    assert_eq!(empty.len(), 1);
    assert_eq!(empty[0]["choices"][0]["delta"], serde_json::json!({"role": "assistant"}));
    assert_eq!(empty[0]["usage"]["completion_tokens"], 0);
    assert_eq!(malformed["choices"][0]["message"], serde_json::json!({"role": "assistant"}));
    assert_eq!(malformed["choices"][0]["finish_reason"], "function_call_filter: MALFORMED_FUNCTION_CALL");
}

#[test]
fn separators_of_unicode_stay_as_they_are_m4() {
    let bytes = see("u2028", r#","stream":true"#).seen.bytes();

    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"one\xE2\x80\xA8two\xC2\x85three"));
}

#[test]
fn an_event_in_two_lines_is_the_chunk_that_it_was_m4() {
    let text = unchunked(&stream("data-multi-line"));

    let events: Vec<_> = text.split("\n\n").filter(|event| !event.is_empty()).collect();
    let joined = events.iter().map(|event| event.replace("data: ", "").replace('\n', ""));
    let sound = unchunked(&stream(""));
    assert!(joined.eq(sound.split_terminator("\n\n").map(|event| event.replace("data: ", ""))), "{text}");
    assert_eq!(events.iter().map(|event| event.lines().count()).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 2, 1]);
}

#[test]
fn a_null_event_stands_between_the_chunks_m4() {
    let text = unchunked(&stream("data-null"));

    let events: Vec<_> = text.split_terminator("\n\n").collect();
    assert_eq!((events.len(), events[3]), (8, "data: null"));
    assert_eq!(events.last(), Some(&"data: [DONE]"));
}

#[test]
fn an_error_under_status_200_is_the_whole_body_m4() {
    for body in ["", r#","stream":true"#] {
        let text = see("error-in-200-json", body).seen.text();

        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && !text.contains("chunked"), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(text.split_once("\r\n\r\n").unwrap().1).unwrap()["error"]["code"],
            502
        );
    }
}

#[test]
fn a_redirect_leads_to_the_same_path_or_where_it_is_told_m4() {
    let location = |fault| {
        let text = see(fault, "").seen.text();
        assert!(
            text.starts_with("HTTP/1.1 307 Temporary Redirect\r\n") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
        text.lines().find_map(|line| line.strip_prefix("location: ").map(str::to_owned))
    };

    assert_eq!(location("redirect-307").as_deref(), Some("?redirected=1"));
    assert_eq!(location("redirect-307;to=/v1/chat/completions").as_deref(), Some("/v1/chat/completions"));
}

#[test]
fn a_cr_and_its_lf_come_in_two_chunks_m4() {
    let observed = see("crlf-split", r#","stream":true"#);

    let (text, reads) = (observed.seen.text(), observed.seen.reads.len());
    assert_eq!(text.matches("\r\r\n2\r\n\n\r\r\n1\r\n\n\r\n").count(), 7, "{text:?}");
    assert_eq!((reads, observed.journal[0].events), (1 + 2 * 7, 7));
}

#[test]
fn two_events_lie_in_one_another_m4() {
    let text = unchunked(&stream("interleaved-events"));

    let events: Vec<_> = text.split("\n\n").collect();
    assert!(
        events[2].starts_with("data: {")
            && events[2].ends_with(r#""content":" 12"},"logprobs":null,"finish_reason":null}]}"#)
    );
    assert_eq!(events[2].matches("data: {").count(), 2);
    assert!(!events[3].contains("data: ") && events[3].contains(r#""content":" week""#));
    assert_eq!(chunks(&text).len(), 4);
}

#[test]
fn a_chunk_without_a_neighbour_is_not_interleaved() {
    let observed = see("interleaved-events;after_events=3", r#","stream":true"#);

    assert!(!observed.journal[0].faults[0].fired);
}

#[test]
fn an_event_that_is_no_json_any_more_is_left_as_it_is() {
    let observed =
        see("comment-as-data, truncated-json-event;chunks=0, choices-null;chunks=0", r#","stream":true"#);

    let fired: Vec<_> = observed.journal[0].faults.iter().map(|fault| (fault.id, fault.fired)).collect();
    assert_eq!(fired, [("comment-as-data", true), ("truncated-json-event", true), ("choices-null", true)]);
    assert!(chunks(&observed.seen.text()).len() >= 2);
}
