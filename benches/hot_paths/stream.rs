//! The parser of server-sent events, over a megabyte of a model's stream, however it is cut.
//!
//! The floor is the search for the line ends in the same pieces: an event cannot be known before its end is found. It
//! makes no texts of what lies between, which the parser has to.

use std::hint::black_box;

use criterion::Criterion;
use server::llm::sse::{Item, Parser};

use crate::beside::Theme;

const STREAM_BYTES: usize = 1_000_000;
/// Longer than any line of the stream.
const LINE_BYTES: usize = 64 * 1024;

pub(crate) fn bench(c: &mut Criterion) {
    let stream = stream();
    let mut theme = Theme::new(c, "events");
    theme.bytes(stream.len());
    let whole: Vec<_> = stream.chunks(event().len() * 16).collect();
    // Every piece ends after `da`, before `ta:`.
    let within_the_name: Vec<_> =
        [&stream[..2]].into_iter().chain(stream[2..].chunks(event().len())).collect();
    let bytes: Vec<_> = stream.chunks(1).collect();
    for (what, pieces) in
        [("whole events", whole), ("cut within `data:`", within_the_name), ("byte by byte", bytes)]
    {
        assert_eq!(parse(&pieces), stream.len() / event().len(), "no event is lost");
        theme.ours(what, || parse(black_box(&pieces)));
        theme.floor(what, "line ends", || line_ends(black_box(&pieces)));
    }
}

fn event() -> String {
    let json = r#"{"id":"5ab3c1f0-7d1f-4f0e-9a86-2c1d4cbb3a11","object":"chat.completion.chunk","created":1790000000,"model":"deepseek-chat","system_fingerprint":"fp_0123456789","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}"#;
    format!("data: {json}\n\n")
}

fn stream() -> Vec<u8> {
    let event = event();
    event.repeat(STREAM_BYTES / event.len()).into_bytes()
}

/// Returns how many events there are.
fn parse(pieces: &[&[u8]]) -> usize {
    let mut parser = Parser::new(LINE_BYTES);
    let events = pieces.iter().map(|piece| parser.push(piece));
    events.flatten().filter(|item| matches!(black_box(item), Item::Data(_))).count()
}

fn line_ends(pieces: &[&[u8]]) -> usize {
    pieces.iter().map(|piece| memchr::memchr_iter(b'\n', piece).count()).sum()
}
