//! What the tests of the other forms of the API share: what to say, and how to read bodies and named events.

use serde_json::Value;

use crate::Script;

/// A stream of events as a client reads it.
#[derive(Debug)]
pub(super) struct Stream {
    /// Name and data of each event.
    pub(super) events: Vec<(String, String)>,
}

/// A reply that thinks first.
pub(super) fn thinking() -> Script {
    Script::from_toml("[default]\nreply = { text = \"Yes, 12.\", thinking = \"A week\" }").unwrap()
}

/// A reply that thinks, says something, and calls the tool `week` twice.
pub(super) fn calling() -> Script {
    Script::from_toml(
        "[default.reply]\ntext = \"Let me see.\"\nthinking = \"A tool\"\ncalls = [{ name = \"week\", arguments = { of = \"now\" } }, { name = \"week\" }]\n",
    )
    .unwrap()
}

/// A reply that ends for this reason.
pub(super) fn finished(reason: &str) -> Script {
    Script::from_toml(&format!(
        "[default]\nreply = {{ text = \"x\", thinking = \"\", finish = \"{reason}\" }}"
    ))
    .unwrap()
}

/// Returns the status of the first answer.
pub(super) fn status_of(text: &str) -> u16 {
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Returns the body of an answer, with its chunks joined.
pub(super) fn body_of(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    if !head.contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut rest, mut joined) = (body, String::new());
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        joined += &more[..size];
        rest = &more[size + 2..];
    }
    joined
}

/// Reads the events of a stream, each of which must have a name.
pub(super) fn stream_of(text: &str) -> Stream {
    let body = body_of(text);
    let events = body.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap_or_else(|| panic!("{event:?} has no name"));
        let name = name.strip_prefix("event: ").unwrap();
        (name.to_owned(), data.strip_prefix("data: ").unwrap().to_owned())
    });
    Stream { events: events.collect() }
}

/// Checks that an answer is DeepSeek's refusal of a request, and that it says what is `wanted`.
#[track_caller]
pub(super) fn assert_refused(text: &str, wanted: &str) {
    let error: Value = serde_json::from_str(&body_of(text)).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert_eq!((status_of(text), error["error"]["type"].as_str()), (400, Some("invalid_request_error")));
    assert!(message.contains(wanted), "{message}");
}
