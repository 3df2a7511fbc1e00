//! Recorded bytes as the pieces of an answer.
//!
//! There are two forms of them. `exact` has the recorded chunk borders and pauses, whatever stands in a
//! chunk. `whole` has a piece for each event, with its kind, so that faults find their place.
//! Invariant: both carry the same bytes in the same order, and as many events.

use std::{iter, ops::Range, time::Duration};

use bytes::Bytes;

use super::event;
use crate::{
    answer::{Form, Kind, Marks, Piece},
    cassette::Answered,
    events::{self, Block},
    render::Envelope,
    scrub::Media,
};

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) form: Form,
    pub(super) envelope: Option<Envelope>,
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
        Self { form: form(answered), envelope: first.and_then(Envelope::of), exact, whole }
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
                Block::Event => event::read(&body[start..end]),
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
        event::payload(text).filter(|payload| payload.starts_with('{'))
    }

    /// Makes the piece; an event in the usual form can be taken apart by faults.
    fn piece(&self, body: &Bytes) -> Piece {
        let bytes = body.slice(self.range.clone());
        let parted = event::parted(&bytes).map(|(name, payload, close)| {
            let payload = bytes.slice(payload);
            Piece { name, open: "data: ", close, ..Piece::raw(self.kind, payload) }
        });
        let piece = parted.unwrap_or_else(|| Piece::raw(self.kind, bytes));
        Piece { text: self.text.as_str().into(), ..piece }
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
            let bytes = self.body.slice(range.clone());
            pieces.push(Piece { wait: self.tempo.pause(before, at), ..Piece::raw(Kind::Fragment, bytes) });
            // An empty piece writes nothing; it tells the journal which event has gone out.
            let ended = iter::from_fn(|| sections.next_if(|section| section.range.end <= range.end));
            pieces.extend(ended.map(|section| Piece::raw(section.kind, Bytes::new())));
            before = at;
        }
        pieces
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
