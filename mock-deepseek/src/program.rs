//! An answer as a list of writes and waits: the last form before the socket.
//!
//! Here the HTTP/1.1 message is put together: status line, headers, chunk framing. Invariant: a
//! program is plain data, so that what a fault writes can be shown and compared without a socket.

use std::{collections::VecDeque, fmt::Write as _, time::Duration};

use bytes::Bytes;

use crate::answer::{Answer, Ending, Framing, Head, Marks, Piece, Wrapping};

/// What becomes of the connection after a sound answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Persistence {
    KeepAlive,
    Close,
}

/// What to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) end: Last,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Wait(Duration),
    /// `marks` have fired when the last byte is written; nothing needs to be written for that.
    Write {
        bytes: Bytes,
        is_event: bool,
        marks: Marks,
    },
}

/// The last thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// The message is complete; the connection does what HTTP says.
    Complete,
    /// Close the socket.
    Close,
    /// Reset the connection.
    Reset,
    /// Leave the socket open and silent.
    Hang,
    /// Wait and write again and again.
    Repeat { every: Duration, bytes: Bytes, is_event: bool },
}

/// Puts the message together.
pub(crate) fn compile(answer: Answer, persistence: Persistence) -> Program {
    let framing = answer.head.as_ref().map_or(Framing::Length, |head| head.framing);
    let mut steps = VecDeque::new();
    if let Some(head) = &answer.head {
        let length = answer.pieces.iter().map(|piece| piece.bytes().len()).sum();
        steps.push_back(write(head_bytes(head, length, persistence), head.marks));
    }
    for piece in &answer.pieces {
        if !piece.wait.is_zero() {
            steps.push_back(Step::Wait(piece.wait));
        }
        let bytes = framed(piece, framing);
        steps.push_back(Step::Write { bytes, is_event: piece.is_event(), marks: piece.marks });
    }
    let marks = answer.end.marks;
    if !marks.is_empty() {
        steps.push_back(write(Bytes::new(), marks));
    }
    let end = match answer.end.how {
        Ending::Complete => complete(framing, &mut steps),
        Ending::Close => Last::Close,
        Ending::Reset => Last::Reset,
        Ending::Hang => Last::Hang,
        Ending::Repeat(piece) => {
            Last::Repeat { every: piece.wait, bytes: framed(&piece, framing), is_event: piece.is_event() }
        }
    };
    Program { steps, end }
}

fn write(bytes: impl Into<Bytes>, marks: Marks) -> Step {
    Step::Write { bytes: bytes.into(), is_event: false, marks }
}

/// Ends the body as its framing says. A length that was a lie leaves no usable connection behind.
fn complete(framing: Framing, steps: &mut VecDeque<Step>) -> Last {
    match framing {
        Framing::Chunked => {
            steps.push_back(write(&b"0\r\n\r\n"[..], Marks::default()));
            Last::Complete
        }
        Framing::Length | Framing::Closing => Last::Complete,
        Framing::ShortLength(_) => Last::Close,
    }
}

fn framed(piece: &Piece, framing: Framing) -> Bytes {
    let bytes = piece.bytes();
    if bytes.is_empty() || piece.wrapping == Wrapping::Verbatim || framing != Framing::Chunked {
        return bytes.into();
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat().into()
}

/// Renders status line and headers for a body of this length.
pub(crate) fn head_bytes(head: &Head, length: usize, persistence: Persistence) -> String {
    let mut text = format!("HTTP/1.1 {} {}\r\n", head.status, reason(head.status));
    for (name, value) in &head.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = match head.framing {
        Framing::Chunked => write!(text, "transfer-encoding: chunked\r\n"),
        Framing::Closing => Ok(()),
        Framing::Length => write!(text, "content-length: {length}\r\n"),
        Framing::ShortLength(percent) => {
            write!(text, "content-length: {}\r\n", length * usize::from(percent) / 100)
        }
    };
    text.push_str(match persistence {
        Persistence::KeepAlive => "connection: keep-alive\r\n\r\n",
        Persistence::Close => "connection: close\r\n\r\n",
    });
    text
}

fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}
