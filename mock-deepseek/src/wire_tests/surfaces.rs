//! Reads what other forms of the API write: bodies and named events.

/// A stream of events as a client reads it.
#[derive(Debug)]
pub(super) struct Stream {
    /// Name and data of each event.
    pub(super) events: Vec<(String, String)>,
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
