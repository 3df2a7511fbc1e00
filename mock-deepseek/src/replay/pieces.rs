//! Recorded bytes as the pieces of an answer.
//!
//! There are two forms of them. `exact` has the recorded chunk borders and pauses, whatever stands in a
//! chunk. `whole` has a piece for each event, with its kind, so that faults find their place.
//! Invariant: both carry the same bytes in the same order, and as many events.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use serde_json::Value;

use crate::{
    answer::{Form, Kind, Marks, Piece, Wrapping},
    cassette::{Answered, BodyEnd},
    events::{self, Block},
    render::Envelope,
    scrub::Media,
};

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) form: Form,
    pub(super) envelope: Envelope,
    pub(super) exact: Vec<Piece>,
    pub(super) whole: Vec<Piece>,
}

/// How recorded times become pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tempo(f64);

impl Tempo {
    /// `speed` divides the pauses; without a positive speed there are none.
    pub(super) fn of(speed: f64) -> Self {
        Self(if speed.is_finite() && speed > 0.0 { 0.001 / speed } else { 0.0 })
    }

    /// Returns the pause between two recorded times.
    pub(super) fn pause(self, from_ms: u64, to_ms: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a pause of so many milliseconds is never played")]
        let recorded = to_ms.saturating_sub(from_ms) as f64;
        Duration::try_from_secs_f64(recorded * self.0).unwrap_or(Duration::MAX)
    }
}

impl Pieces {
    pub(super) fn new(answered: &Answered, tempo: Tempo) -> Self {
        let body: Bytes =
            answered.pieces.iter().map(|(_, bytes)| bytes.as_ref()).collect::<Vec<_>>().concat().into();
        let sections = sections(answered, &body);
        let stream = Stream { answered, body: &body, tempo, sections: &sections };
        let (mut exact, mut whole) = (stream.exact(), stream.whole());
        let last = answered.pieces.last().map_or(answered.at_ms, |(at, _)| *at);
        let rest = tempo.pause(last, answered.end_ms);
        if !rest.is_zero() {
            let pause = Piece { wait: rest, ..Piece::milestone(Marks::default()) };
            exact.push(pause.clone());
            whole.push(pause);
        }
        let first = sections.iter().find_map(|section| section.chunk(&body));
        let thinks = sections.iter().any(|section| section.kind == Kind::Reasoning);
        Self {
            form: form(answered),
            envelope: first.and_then(|chunk| Envelope::of(chunk, thinks)).unwrap_or_default(),
            exact,
            whole,
        }
    }
}

fn form(answered: &Answered) -> Form {
    let prefix = "content-type: ";
    let kind = answered.headers.iter().find_map(|header| header.strip_prefix(prefix)).unwrap_or_default();
    if Media::of(kind) == Media::Events { Form::Stream } else { Form::Single }
}

/// An event, a comment, a whole body, or what is left of a cut one.
#[derive(Debug)]
struct Section {
    range: Range<usize>,
    kind: Kind,
    /// The text that the event carries.
    text: String,
}

fn sections(answered: &Answered, body: &Bytes) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut start = 0;
    if form(answered) == Form::Stream {
        for (end, block) in events::blocks(body) {
            let (kind, text) = match block {
                Block::Silent => (Kind::Liveness, String::new()),
                Block::Event => read(&body[start..end]),
            };
            found.push(Section { range: start..end, kind, text });
            start = end;
        }
    } else {
        // Blank lines before JSON are a sign of life, each when it came.
        for (_, bytes) in &answered.pieces {
            if !bytes.iter().all(u8::is_ascii_whitespace) || start + bytes.len() == body.len() {
                break;
            }
            found.push(Section {
                range: start..start + bytes.len(),
                kind: Kind::Liveness,
                text: String::new(),
            });
            start += bytes.len();
        }
    }
    if start < body.len() {
        let kind = if form(answered) == Form::Stream { Kind::Fragment } else { Kind::Body };
        found.push(Section { range: start..body.len(), kind, text: String::new() });
    }
    found
}

impl Section {
    fn chunk<'a>(&self, body: &'a Bytes) -> Option<&'a str> {
        let text = std::str::from_utf8(&body[self.range.clone()]).ok()?;
        payload(text).filter(|payload| payload.starts_with('{'))
    }

    /// Makes the piece; an event in the usual form can be taken apart by faults.
    fn piece(&self, body: &Bytes) -> Piece {
        let bytes = body.slice(self.range.clone());
        let text = self.text.clone();
        let close = ["\r\n\r\n", "\n\n"].into_iter().find(|close| bytes.ends_with(close.as_bytes()));
        let is_one_line = |end: usize| !bytes[..end].contains(&b'\n');
        match close {
            Some(close) if bytes.starts_with(b"data: ") && is_one_line(bytes.len() - close.len()) => {
                let payload = bytes.slice(6..bytes.len() - close.len());
                Piece { open: "data: ", close, text, ..Piece::raw(self.kind, payload) }
            }
            _ => Piece { text, ..Piece::raw(self.kind, bytes) },
        }
    }
}

/// Returns the data of an event that has one line of it.
fn payload(event: &str) -> Option<&str> {
    event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim)
}

/// Says what an event is, in any of the three formats, and which text it carries.
fn read(event: &[u8]) -> (Kind, String) {
    let text = String::from_utf8_lossy(event);
    let payload = payload(&text).unwrap_or_default();
    if payload == "[DONE]" {
        return (Kind::Done, String::new());
    }
    let Ok(json) = serde_json::from_str::<Value>(payload) else { return (Kind::Foreign, String::new()) };
    match json["type"].as_str() {
        Some(name) => named(name, &json),
        None => chunk(&json["choices"][0]),
    }
}

/// Reads a chunk of a chat completion.
fn chunk(choice: &Value) -> (Kind, String) {
    let delta = &choice["delta"];
    let said = |name: &str| delta[name].as_str().filter(|text| !text.is_empty());
    let tools = || delta.get("tool_calls").is_some_and(Value::is_array);
    match (choice["finish_reason"].as_str(), said("content"), said("reasoning_content")) {
        (Some(_), _, _) => (Kind::Finish, String::new()),
        (_, Some(text), _) => (Kind::Content, text.to_owned()),
        (_, _, Some(text)) => (Kind::Reasoning, text.to_owned()),
        _ if delta.get("role").is_some_and(Value::is_string) && !tools() => (Kind::Role, String::new()),
        _ if tools() || delta.is_object() => (Kind::Content, String::new()),
        // The text of a completion without chat.
        _ => choice["text"]
            .as_str()
            .map_or((Kind::Foreign, String::new()), |text| (Kind::Content, text.to_owned())),
    }
}

/// Reads an event of the Anthropic or the Responses format.
fn named(name: &str, json: &Value) -> (Kind, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let delta = &json["delta"];
    match name {
        "message_start" | "response.created" => (Kind::Role, String::new()),
        "content_block_delta" if delta["thinking"].is_string() => (Kind::Reasoning, text(&delta["thinking"])),
        "content_block_delta" => (Kind::Content, text(&delta["text"])),
        "message_delta" | "response.completed" | "response.incomplete" | "response.failed" => {
            (Kind::Finish, String::new())
        }
        "message_stop" => (Kind::Done, String::new()),
        _ => match name.rsplit_once('.') {
            Some((what, "delta")) if what.contains("reasoning") => (Kind::Reasoning, text(delta)),
            Some((_, "delta")) => (Kind::Content, text(delta)),
            _ => (Kind::Foreign, String::new()),
        },
    }
}

/// A recorded body, on its way to become pieces.
struct Stream<'a> {
    answered: &'a Answered,
    body: &'a Bytes,
    tempo: Tempo,
    sections: &'a [Section],
}

impl Stream<'_> {
    fn whole(&self) -> Vec<Piece> {
        let (mut before, mut pieces) = (self.answered.at_ms, Vec::new());
        let mut arrivals = self.arrivals().peekable();
        for section in self.sections {
            while arrivals.next_if(|(_, range)| range.end < section.range.end).is_some() {}
            let at = arrivals.peek().map_or(before, |(at, _)| *at);
            pieces.push(Piece { wait: self.tempo.pause(before, at), ..section.piece(self.body) });
            before = at;
        }
        pieces
    }

    fn exact(&self) -> Vec<Piece> {
        let (mut before, mut pieces) = (self.answered.at_ms, Vec::new());
        let mut sections = self.sections.iter().peekable();
        for (at, range) in self.arrivals() {
            let mut parts = Vec::new();
            let mut start = range.start;
            while let Some(section) = sections.next_if(|section| section.range.end <= range.end) {
                parts.push(self.part(section, start));
                start = section.range.end;
            }
            if start < range.end {
                parts.push(Piece::raw(Kind::Fragment, self.body.slice(start..range.end)));
            }
            let mut parts = self.in_one_chunk(parts, range.len());
            if let Some(first) = parts.first_mut() {
                first.wait = self.tempo.pause(before, at);
            }
            before = at;
            pieces.extend(parts);
        }
        pieces
    }

    /// Returns the section from `start` on: all of it, or the part that came in a later chunk.
    fn part(&self, section: &Section, start: usize) -> Piece {
        if start <= section.range.start {
            return section.piece(self.body);
        }
        let rest = self.body.slice(start..section.range.end);
        Piece { text: section.text.clone(), ..Piece::raw(section.kind, rest) }
    }

    /// Sees to it that the parts come in one chunk, if there are chunks at all.
    fn in_one_chunk(&self, parts: Vec<Piece>, length: usize) -> Vec<Piece> {
        if parts.len() == 1 || self.answered.framing != BodyEnd::Chunked {
            return parts;
        }
        let verbatim = |piece: Piece| Piece { wrapping: Wrapping::Verbatim, ..piece };
        let edge = |bytes: String| verbatim(Piece::raw(Kind::Fragment, bytes));
        let begin = edge(format!("{length:x}\r\n"));
        let end = edge("\r\n".to_owned());
        [begin].into_iter().chain(parts.into_iter().map(verbatim)).chain([end]).collect()
    }

    /// Returns when which bytes came.
    fn arrivals(&self) -> impl Iterator<Item = (u64, Range<usize>)> {
        self.answered.pieces.iter().scan(0, |start, (at, bytes)| {
            let range = *start..*start + bytes.len();
            *start = range.end;
            Some((*at, range))
        })
    }
}
