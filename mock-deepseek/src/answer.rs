//! What will go over the wire, still in parts that faults can take hold of.
//!
//! An [`Answer`] is a head, the pieces of the body in order, and an end. Rendering makes a sound
//! one; faults rearrange it; framing turns it into a [program](crate::program) of writes and waits.
//!
//! Invariant: whatever a fault puts in or takes out carries the fault's [`Marks`], so that the
//! journal can tell which faults really reached the wire. Nothing here writes or waits.

use std::{borrow::Cow, ops::BitOr, time::Duration};

use bytes::Bytes;
use serde::Deserialize;

use crate::{
    chunks::Chunk,
    pace::Flush,
    render::{Envelope, Events, quoted},
};

/// The most faults that one plan may hold.
pub(crate) const FAULTS_MAX: usize = 32;

/// A set of faults of one plan, by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u32);

impl Marks {
    /// Marks the fault at `position`, which is below [`FAULTS_MAX`].
    pub(crate) fn of(position: usize) -> Self {
        u32::try_from(position).ok().and_then(|shift| 1_u32.checked_shl(shift)).map_or(Self(0), Self)
    }

    /// Says whether the fault at `position` is in the set.
    pub(crate) fn has(self, position: usize) -> bool {
        self.0 & Self::of(position).0 != 0
    }

    /// Says whether the set is empty.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Marks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whether the reply is a stream of events or one JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    Stream,
    Single,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) form: Form,
    /// Renders further chunks of the same stream; `None` in forms that have no such chunks.
    pub(crate) envelope: Option<Envelope>,
    /// `None`: not even a status line is sent.
    pub(crate) head: Option<Head>,
    pub(crate) pieces: Vec<Piece>,
    /// What follows the pieces of a sound stream, not yet rendered. Faults see only pieces.
    pub(crate) rest: Option<Box<Events>>,
    pub(crate) flush: Flush,
    pub(crate) end: End,
}

/// Status line and headers.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(crate) framing: Framing,
    pub(crate) marks: Marks,
    /// Pause before it.
    pub(crate) wait: Duration,
    /// The faults that hold it back: they show as soon as the pause begins.
    pub(crate) held: Marks,
}

/// How the end of the body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `Transfer-Encoding: chunked`, one chunk per piece.
    Chunked,
    /// By closing the connection, for clients of HTTP/1.0.
    Closing,
    /// `Content-Length` of what is really sent.
    Length,
    /// `Content-Length` of this share of what is really sent, in percent.
    ShortLength(u8),
}

/// What a piece of the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first chunk, which names the role.
    Role,
    /// An event that opens or closes a part of the reply, in forms that have such.
    Part,
    /// A chunk of thinking.
    Reasoning,
    /// A chunk of the visible text.
    Content,
    /// A chunk of a tool call.
    Call,
    /// The chunk with the finish reason.
    Finish,
    /// A chunk that holds nothing but the usage.
    Usage,
    /// `[DONE]`.
    Done,
    /// An event that a fault put in.
    Foreign,
    /// A comment or a blank line: a sign of life, no event.
    Liveness,
    /// A part of an event or of framing; nothing by itself.
    Fragment,
    /// The body of a reply that is not streamed.
    Body,
}

/// How a piece is put into the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// As the head's framing wants it.
    Framed,
    /// Byte for byte: the piece brings (or breaks) its own framing.
    Verbatim,
}

/// A part of the body that is written at once.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) kind: Kind,
    /// The name of the event, for a line of its own; empty in forms whose events have none.
    pub(crate) name: &'static str,
    /// What comes before the payload: `data: ` for an event.
    pub(crate) open: &'static str,
    pub(crate) payload: Bytes,
    /// What comes after the payload: an empty line for an event.
    pub(crate) close: &'static str,
    /// The text that the payload carries, for faults that render it anew.
    pub(crate) text: Chunk,
    /// Pause before it.
    pub(crate) wait: Duration,
    pub(crate) wrapping: Wrapping,
    pub(crate) marks: Marks,
}

impl Piece {
    /// Makes a server-sent event.
    pub(crate) fn event(kind: Kind, payload: impl Into<Bytes>) -> Self {
        Self { open: "data: ", close: "\n\n", ..Self::raw(kind, payload) }
    }

    /// Makes a server-sent event with a name.
    pub(crate) fn named(kind: Kind, name: &'static str, payload: impl Into<Bytes>) -> Self {
        Self { name, ..Self::event(kind, payload) }
    }

    /// Makes a piece of exactly these bytes.
    pub(crate) fn raw(kind: Kind, payload: impl Into<Bytes>) -> Self {
        Self {
            kind,
            name: "",
            open: "",
            payload: payload.into(),
            close: "",
            text: Chunk::default(),
            wait: Duration::ZERO,
            wrapping: Wrapping::Framed,
            marks: Marks::default(),
        }
    }

    /// Makes a piece that writes nothing: reaching it is what counts.
    pub(crate) fn milestone(marks: Marks) -> Self {
        Self { marks, ..Self::raw(Kind::Fragment, Bytes::new()) }
    }

    /// Says whether a client sees a whole event when this has been written.
    pub(crate) fn is_event(&self) -> bool {
        !matches!(self.kind, Kind::Liveness | Kind::Fragment | Kind::Body)
    }

    /// Returns how many bytes go into the body.
    pub(crate) fn len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    /// Returns what goes into the body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.parts().concat()
    }

    /// Returns what goes into the body, in order. The line of the name is written in the style of the others.
    pub(crate) fn parts(&self) -> [&[u8]; 6] {
        let (field, end) = match (self.name, self.open, self.close) {
            ("", ..) => ("", ""),
            (_, "data:", _) => ("event:", "\n"),
            (_, _, "\r\n\r\n") => ("event: ", "\r\n"),
            (_, _, "\r\r") => ("event: ", "\r"),
            _ => ("event: ", "\n"),
        };
        let [field, name, end, open, close] =
            [field, self.name, end, self.open, self.close].map(str::as_bytes);
        [field, name, end, open, &self.payload, close]
    }

    /// Returns how long the line of the name is.
    pub(crate) fn name_len(&self) -> usize {
        self.parts()[..3].iter().map(|part| part.len()).sum()
    }

    /// Returns the payload with another text in the place of its own; `None` when it carries none.
    pub(crate) fn saying(&self, text: &str) -> Option<Bytes> {
        let payload = std::str::from_utf8(&self.payload).ok()?;
        let own = quoted(&self.text);
        let place = payload.rfind(&own).filter(|_| !self.text.is_empty())?;
        Some([&payload[..place], &quoted(text), &payload[place + own.len()..]].concat().into())
    }
}

/// How the answer ends.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) how: Ending,
    pub(crate) marks: Marks,
}

/// The ways to end.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// The body ends as its framing says; the connection lives on if the client wants it.
    Complete,
    /// It ends in the middle of the message.
    Cut(Cut),
    /// Nothing more is written and the socket stays open.
    Hang,
    /// The body ends as its framing says and the connection promises to live on; the next request
    /// on it finds it dead, without a byte.
    Stale {
        /// Whether it is reset or closed.
        reset: bool,
    },
    /// The piece is written again and again, for as long as the client stays.
    Repeat(Box<Piece>),
}

/// The ways to end in the middle of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The socket is closed, under TLS with a `close_notify`.
    Close,
    /// The socket is closed without a `close_notify`.
    Abandon,
    /// The connection is reset.
    Reset,
    /// The stream of HTTP/2 is reset for this reason.
    ResetStream(h2::Reason),
    /// The connection of HTTP/2 says GOAWAY for this reason, and all its streams are lost.
    GoAway(h2::Reason),
}

/// Which events a fault counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum During {
    /// All `data:` events, the role and `[DONE]` included.
    #[default]
    Any,
    /// Only chunks of thinking.
    Reasoning,
    /// Only chunks of visible text.
    Content,
}

impl During {
    fn counts(self, piece: &Piece) -> bool {
        match self {
            Self::Any => piece.is_event(),
            Self::Reasoning => piece.kind == Kind::Reasoning,
            Self::Content => piece.kind == Kind::Content,
        }
    }
}

impl Answer {
    /// Says whether the client sees the end of the body only by the end of the connection.
    pub(crate) fn ends_by_closing(&self) -> bool {
        let has_length = |head: &Head| head.headers.iter().any(|(name, _)| name == "content-length");
        self.head.as_ref().is_some_and(|head| head.framing == Framing::Closing && !has_length(head))
    }

    /// Says whether a fault with these marks has already changed what the model says.
    pub(crate) fn bears(&self, marks: Marks) -> bool {
        self.pieces.iter().any(|piece| piece.marks | marks == piece.marks)
    }

    /// Renders everything that is left, so that faults can take hold of it.
    pub(crate) fn render_all(&mut self) {
        let Some(mut events) = self.rest.take() else { return };
        self.pieces.extend(events.by_ref());
        if events.fell_silent() {
            self.end.how = Ending::Hang;
        }
    }

    /// Renders one more event of visible text, with its name; `None` when there is none to take after.
    pub(crate) fn more_text(&self, text: &str) -> Option<(&'static str, Bytes)> {
        if let Some(envelope) = &self.envelope {
            return Some(("", envelope.content(&quoted(text))));
        }
        let mut said = self.pieces.iter().filter(|piece| piece.kind == Kind::Content);
        said.find_map(|piece| Some((piece.name, piece.saying(text)?)))
    }

    /// Returns the place after `events` events that `during` counts; before the first of them for 0.
    ///
    /// `None` when there are not so many: a fault that has no place does not happen.
    pub(crate) fn place_after(&self, events: usize, during: During) -> Option<usize> {
        if events == 0 && during == During::Any {
            return Some(0);
        }
        let mut counted = self.pieces.iter().enumerate().filter(|(_, piece)| during.counts(piece));
        match events.checked_sub(1) {
            None => counted.next().map(|(index, _)| index),
            Some(skipped) => counted.nth(skipped).map(|(index, _)| index + 1),
        }
    }

    /// Drops everything from `place` on and ends there.
    pub(crate) fn end_at(&mut self, place: usize, how: Ending, marks: Marks) {
        self.pieces.truncate(place);
        self.end = End { how, marks };
    }

    /// Cuts the piece at `place` into two after `at` bytes, the second of which follows after `pause`.
    pub(crate) fn split(&mut self, place: usize, at: usize, pause: Duration) {
        let whole = self.pieces[place].clone();
        let mut front = Bytes::from(whole.bytes());
        let back = front.split_off(at.min(front.len()));
        let first = Piece {
            wait: whole.wait,
            marks: whole.marks,
            wrapping: whole.wrapping,
            ..Piece::raw(Kind::Fragment, front)
        };
        let second = Piece { name: "", open: "", close: "", payload: back, wait: pause, ..whole };
        self.pieces.splice(place..=place, [first, second]);
    }
}

impl Head {
    /// Holds the head back for at least so long.
    pub(crate) fn hold_back(&mut self, pause: Duration, marks: Marks) {
        self.wait = self.wait.max(pause);
        self.held = self.held | marks;
    }

    /// Sets a header, replacing what was there; `None` takes it away.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        let place = self.headers.iter().position(|(key, _)| key.eq_ignore_ascii_case(name));
        match (place, value) {
            (Some(place), Some(value)) => self.headers[place].1 = Cow::Owned(value.to_owned()),
            (Some(place), None) => drop(self.headers.remove(place)),
            (None, Some(value)) => self.headers.push((name.to_owned().into(), value.to_owned().into())),
            (None, None) => {}
        }
    }
}
