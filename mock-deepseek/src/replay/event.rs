//! What a recorded event is, in any of the formats: chunks of chat and text completions, the named events of
//! Messages and of Responses.
//!
//! Invariant: kinds are those that [`render`](crate::render) gives to its own events, so that a fault finds the
//! same place in a recorded stream as in a fresh one.

use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;

use crate::answer::Kind;

/// The names of events that have a line for it. What has another name is not taken apart.
const NAMES: [&str; 26] = [
    "content_block_delta",
    "content_block_start",
    "content_block_stop",
    "error",
    "message_delta",
    "message_start",
    "message_stop",
    "ping",
    "response.completed",
    "response.content_part.added",
    "response.content_part.done",
    "response.created",
    "response.failed",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.in_progress",
    "response.incomplete",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.queued",
    "response.reasoning_text.delta",
    "response.reasoning_text.done",
    "response.refusal.delta",
    "response.refusal.done",
];

/// Takes an event of the usual form apart: its name, where its payload lies, and what closes it.
pub(super) fn parted(event: &Bytes) -> Option<(&'static str, Range<usize>, &'static str)> {
    let text = std::str::from_utf8(event).ok()?;
    let close = ["\r\n\r\n", "\n\n"].into_iter().find(|close| text.ends_with(close))?;
    let line_end = &close[..close.len() / 2];
    let (name, data) = match text.strip_prefix("event: ") {
        None => ("", text),
        Some(named) => {
            let (name, data) = named.split_once(line_end)?;
            (NAMES.into_iter().find(|known| *known == name)?, data)
        }
    };
    let payload = data.strip_prefix("data: ")?.strip_suffix(close)?;
    let end = text.len() - close.len();
    (!payload.contains(['\r', '\n'])).then_some((name, end - payload.len()..end, close))
}

/// Returns the data of an event that has one line of it.
pub(super) fn payload(event: &str) -> Option<&str> {
    event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim)
}

/// Says what an event is, and which text it carries.
pub(super) fn read(event: &[u8]) -> (Kind, String) {
    let text = String::from_utf8_lossy(event);
    let payload = payload(&text).unwrap_or_default();
    if payload == "[DONE]" {
        return (Kind::Done, String::new());
    }
    let Ok(json) = serde_json::from_str::<Value>(payload) else { return (Kind::Foreign, String::new()) };
    match json["type"].as_str() {
        Some(name) => named(name, &json),
        None if json["choices"].as_array().is_some_and(Vec::is_empty) => (Kind::Usage, String::new()),
        None => chunk(&json["choices"][0]),
    }
}

/// Reads a chunk of a completion.
fn chunk(choice: &Value) -> (Kind, String) {
    let delta = &choice["delta"];
    let said = |name: &str| delta[name].as_str().filter(|text| !text.is_empty());
    let call = delta.get("tool_calls").filter(|calls| calls.is_array());
    match (choice["finish_reason"].as_str(), said("content"), said("reasoning_content")) {
        (Some(_), _, _) => (Kind::Finish, String::new()),
        (_, Some(text), _) => (Kind::Content, text.to_owned()),
        (_, _, Some(text)) => (Kind::Reasoning, text.to_owned()),
        _ => match call {
            Some(calls) => (Kind::Call, owned(&calls[0]["function"]["arguments"])),
            None if delta["role"].is_string() => (Kind::Role, String::new()),
            None if delta.is_object() => (Kind::Content, String::new()),
            // The text of a completion without chat.
            None if choice["text"].is_string() => (Kind::Content, owned(&choice["text"])),
            None => (Kind::Foreign, String::new()),
        },
    }
}

/// Reads an event of the Messages or the Responses format.
fn named(name: &str, json: &Value) -> (Kind, String) {
    let delta = &json["delta"];
    match name {
        "message_start" | "response.created" => (Kind::Role, String::new()),
        "content_block_start" => (begun(&json["content_block"]["type"], "tool_use"), String::new()),
        "response.output_item.added" => (begun(&json["item"]["type"], "function_call"), String::new()),
        "content_block_delta" => block(delta),
        "message_delta" | "response.completed" | "response.incomplete" | "response.failed" => {
            (Kind::Finish, String::new())
        }
        "message_stop" => (Kind::Done, String::new()),
        "ping" | "content_block_stop" => (Kind::Part, String::new()),
        _ => match name.strip_prefix("response.").map(|rest| rest.strip_suffix(".delta")) {
            Some(Some(what)) if what.contains("reasoning") => (Kind::Reasoning, owned(delta)),
            Some(Some(what)) if what.contains("arguments") => (Kind::Call, owned(delta)),
            Some(Some(_)) => (Kind::Content, owned(delta)),
            Some(None) => (Kind::Part, String::new()),
            None => (Kind::Foreign, String::new()),
        },
    }
}

/// Says what the beginning of a part is: that of a call, or of something that is told in parts.
fn begun(kind: &Value, call: &str) -> Kind {
    if kind == call { Kind::Call } else { Kind::Part }
}

/// Reads a piece of a block of the Messages format.
fn block(delta: &Value) -> (Kind, String) {
    match delta["type"].as_str() {
        Some("thinking_delta") => (Kind::Reasoning, owned(&delta["thinking"])),
        Some("input_json_delta") => (Kind::Call, owned(&delta["partial_json"])),
        Some("text_delta") => (Kind::Content, owned(&delta["text"])),
        _ => (Kind::Part, String::new()),
    }
}

fn owned(text: &Value) -> String {
    text.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_taken_apart_only_where_it_can_be_put_together_again() {
        let apart =
            |event: &'static str| parted(&Bytes::from(event)).map(|(name, range, _)| (name, &event[range]));

        assert_eq!(apart("data: {}\n\n"), Some(("", "{}")));
        assert_eq!(apart("event: ping\r\ndata: {}\r\n\r\n"), Some(("ping", "{}")));
        for event in [
            "data:{}\n\n",
            "event: pong\ndata: {}\n\n",
            "event:ping\ndata: {}\n\n",
            "data: 1\ndata: 2\n\n",
            "event: ping\r\ndata: {}\n\n",
            "id: 1\ndata: {}\n\n",
        ] {
            assert_eq!(apart(event), None, "{event:?}");
        }
    }
}
