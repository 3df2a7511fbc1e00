//! An answer as the writer wants it: pieces in order, their framing, and what comes last.
//!
//! Here the HTTP/1.1 message is put together: status line, headers, chunk framing. Pieces are framed
//! straight into the writer's buffer. Invariant: a program does no I/O, so that what a fault writes can
//! be shown and compared without a socket.

use bytes::Bytes;

use crate::{
    answer::{Answer, Cut, Ending, Framing, Head, Kind, Marks, Piece, Wrapping},
    pace::Flush,
    render::Events,
    state::Seat,
};

/// Ends a body in chunks.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What becomes of the connection after a sound answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    KeepAlive,
    Close,
}

impl Persistence {
    /// The connection is kept, unless it closes after this answer.
    pub(crate) const fn unless(closes: bool) -> Self {
        if closes { Self::Close } else { Self::KeepAlive }
    }
}

/// Pieces to be written one after the other, and the end.
#[derive(Debug)]
pub(crate) struct Program {
    /// Reached before the pause of a head that is held back.
    before: Option<Piece>,
    head: Option<Piece>,
    listed: std::vec::IntoIter<Piece>,
    rest: Option<Box<Events>>,
    tail: Option<Piece>,
    framing: Framing,
    flush: Flush,
    /// The place of the request among those under way.
    seat: Option<Seat>,
    pub(crate) end: Last,
}

/// The last thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Last {
    /// The message is complete; the connection does what HTTP says.
    Complete,
    /// The message is complete; the next request on the connection finds it dead.
    Stale { reset: bool },
    /// End in the middle of the message.
    Cut(Cut),
    /// Leave the socket open and silent.
    Hang,
    /// Write this piece again and again, after its pause.
    Repeat(Box<Piece>),
}

/// Puts the message together.
pub(crate) fn compile(answer: Answer, persistence: Persistence) -> Program {
    let Answer { head, mut pieces, rest, flush, end, .. } = answer;
    let framing = head.as_ref().map_or(Framing::Length, |head| head.framing);
    let length = pieces.iter().map(Piece::len).sum();
    if !end.marks.is_empty() {
        pieces.push(Piece::milestone(end.marks));
    }
    let (end, tail) = match end.how {
        Ending::Complete => complete(framing),
        Ending::Stale { reset } => (Last::Stale { reset }, complete(framing).1),
        Ending::Cut(cut) => (Last::Cut(cut), None),
        Ending::Hang => (Last::Hang, None),
        Ending::Repeat(piece) => (Last::Repeat(piece), None),
    };
    let before = head.as_ref().map(|head| head.held).filter(|held| !held.is_empty()).map(Piece::milestone);
    let head = head.map(|head| {
        let bytes = head_bytes(&head, length, persistence);
        let Head { marks, wait, .. } = head;
        Piece { wrapping: Wrapping::Verbatim, marks, wait, ..Piece::raw(Kind::Fragment, bytes) }
    });
    Program { before, head, listed: pieces.into_iter(), rest, tail, framing, flush, seat: None, end }
}

impl Iterator for Program {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        self.before
            .take()
            .or_else(|| self.head.take())
            .or_else(|| self.listed.next())
            .or_else(|| self.rest.as_mut().and_then(Iterator::next))
            .or_else(|| self.tail.take())
    }
}

impl Program {
    /// Says whether each event is to be written by itself.
    pub(crate) fn flushes_events(&self) -> bool {
        self.flush == Flush::Event
    }

    /// Keeps the seat until the last piece is about to be written: whoever has read the answer finds it free.
    #[must_use]
    pub(crate) fn seated(mut self, seat: Seat) -> Self {
        self.seat = Some(seat);
        self
    }

    /// Gives the seat up, if nothing follows any more.
    pub(crate) fn rise_if_told(&mut self) {
        let listed = self.before.is_none() && self.head.is_none() && self.listed.as_slice().is_empty();
        let told = || self.rest.as_ref().is_none_or(|rest| rest.is_over()) && self.tail.is_none();
        if self.seat.is_some() && listed && told() && !matches!(self.end, Last::Hang | Last::Repeat(_)) {
            self.seat = None;
        }
    }

    /// Returns how its pieces are framed.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }
}

/// Puts together what HTTP/2 carries in its own frames: the body without framing. The head goes beside it.
pub(crate) fn bare(mut answer: Answer) -> (Option<Head>, Program) {
    let head = answer.head.take().map(|head| Head { framing: Framing::Closing, ..head });
    answer.pieces.retain(|piece| piece.wrapping == Wrapping::Framed);
    if let Some(head) = &head {
        answer.pieces.insert(0, Piece::milestone(head.marks));
    }
    (head, compile(answer, Persistence::KeepAlive))
}

/// Ends the body as its framing says. A length that was a lie leaves no usable connection behind.
fn complete(framing: Framing) -> (Last, Option<Piece>) {
    match framing {
        Framing::Chunked => {
            let end = Piece::raw(Kind::Fragment, LAST_CHUNK);
            (Last::Complete, Some(Piece { wrapping: Wrapping::Verbatim, ..end }))
        }
        Framing::Length | Framing::Closing => (Last::Complete, None),
        Framing::ShortLength(_) => (Last::Cut(Cut::Close), None),
    }
}

/// Appends the piece as it goes over the wire.
pub(crate) fn put(buffer: &mut Vec<u8>, piece: &Piece, framing: Framing) {
    let length = piece.len();
    let chunked = framing == Framing::Chunked && piece.wrapping == Wrapping::Framed && length > 0;
    if chunked {
        put_hex(buffer, length);
        buffer.extend_from_slice(b"\r\n");
    }
    for part in piece.parts() {
        buffer.extend_from_slice(part);
    }
    if chunked {
        buffer.extend_from_slice(b"\r\n");
    }
}

/// Appends a number as a chunk tells its size; formatting it would cost as much as the rest of the chunk.
fn put_hex(buffer: &mut Vec<u8>, number: usize) {
    let digits = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
    let digit = |place| b"0123456789abcdef"[number >> (4 * place) & 15];
    buffer.extend((0..digits).rev().map(digit));
}

/// Room for a head as it usually is.
const HEAD_USUAL: usize = 640;

/// Renders status line and headers for a body of this length.
pub(crate) fn head_bytes(head: &Head, length: usize, persistence: Persistence) -> Bytes {
    let mut text = String::with_capacity(HEAD_USUAL);
    let mut put = |parts: [&str; 4]| parts.iter().for_each(|part| text.push_str(part));
    let mut digits = itoa::Buffer::new();
    put(["HTTP/1.1 ", digits.format(head.status), " ", reason(head.status)]);
    for (name, value) in &head.headers {
        put(["\r\n", name, ": ", value]);
    }
    match head.framing {
        Framing::Chunked => put(["\r\n", "transfer-encoding", ": ", "chunked"]),
        Framing::Closing => {}
        Framing::Length => put(["\r\n", "content-length", ": ", digits.format(length)]),
        Framing::ShortLength(percent) => {
            let short = length * usize::from(percent) / 100;
            put(["\r\n", "content-length", ": ", digits.format(short)]);
        }
    }
    let connection = match persistence {
        Persistence::KeepAlive => "keep-alive",
        Persistence::Close => "close",
    };
    put(["\r\nconnection", ": ", connection, "\r\n\r\n"]);
    text.into()
}

/// Returns the phrase behind a status, as the registry has it.
pub(crate) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

/// Says whether something has fired when this piece is out.
pub(crate) fn counts(piece: &Piece) -> bool {
    piece.is_event() || piece.marks != Marks::default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        answer::Form,
        pace::Pacing,
        state::{Account, Concurrency, Limits},
        transcript,
    };

    #[test]
    fn sizes_of_chunks_are_told_in_hexadecimal() {
        for number in [0, 1, 9, 15, 16, 255, 256, 0x00ab_cdef, usize::MAX] {
            let mut buffer = Vec::new();

            put_hex(&mut buffer, number);

            assert_eq!(String::from_utf8(buffer).unwrap(), format!("{number:x}"));
        }
    }

    #[test]
    fn the_seat_is_free_when_the_last_piece_goes_out_and_not_before_m9() {
        let one = Limits { concurrency: Some(Concurrency::Fixed(1)) };
        let account = Arc::new(Account::new(one, None, Arc::default()));
        let answer = |form| transcript::sample(form, &[], Pacing::default());
        let programs = [Form::Stream, Form::Single]
            .into_iter()
            .flat_map(|form| [compile(answer(form), Persistence::KeepAlive), bare(answer(form)).1]);

        for program in programs {
            let mut program = program.seated(account.admit().unwrap());
            let mut free = Vec::new();
            while program.next().is_some() {
                program.rise_if_told();
                free.push(account.admit().is_ok());
            }

            assert_eq!(free.iter().position(|free| *free), Some(free.len() - 1), "{free:?}");
        }
    }
}
