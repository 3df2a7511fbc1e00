//! Shows what a fault writes, without a socket: the program of a sample reply in readable form.
//!
//! Invariant: what is shown is compiled by the same code that serves requests.

use std::fmt::Write as _;

use crate::{
    answer::{Answer, Cut, Form, Framing, Piece},
    catalogue::{Carrier, Mode},
    dead_end,
    draft::{Draft, Prepared},
    duration::Lasts,
    exchange::Carried,
    fault::Fault,
    pace::Pacing,
    plan::Plan,
    profile::ApiProfile,
    program::{self, Last, Persistence, Program},
    render::Stamp,
    request::ChatRequest,
    script::Reply,
};

/// Of one write, so many bytes are shown.
const SHOWN_MAX: usize = 600;

/// Renders what goes over the wire for a sample request with these faults: bytes escaped, one line
/// per line of the wire, pauses and the end in words.
///
/// A fault before the connection leaves nothing to show but what the client sees of it.
pub fn transcript(faults: &[Fault]) -> String {
    let outside = faults.iter().filter_map(|fault| Some((fault.id(), fault.behaviour().dead_end()?)));
    if let Some((_, kind)) = outside.min_by_key(|(id, _)| *id) {
        return dead_end::story(kind).to_owned();
    }
    let shown = shown(form(faults), faults);
    match faults.iter().find_map(|fault| fault.behaviour().handshake()) {
        Some(Lasts::Forever) => "-- TCP is accepted; the handshake of TLS never begins\n".to_owned(),
        Some(Lasts::For(pause)) => {
            format!("-- TCP is accepted; the handshake of TLS begins after {pause:?}\n") + &shown
        }
        None => shown,
    }
}

/// Renders the whole streamed answer to a sample request whose reply is this one: head, chunks, end.
///
/// It is what a socket would see, without one: for benches and for tests of clients.
pub fn stream_bytes(reply: &Reply) -> Vec<u8> {
    let program = compile(answer(Form::Stream, reply, &[], Pacing::default()));
    let framing = program.framing();
    program.fold(Vec::new(), |mut bytes, piece| {
        program::put(&mut bytes, &piece, framing);
        bytes
    })
}

/// Renders the answer to a sample request for this form.
pub(crate) fn shown(form: Form, faults: &[Fault]) -> String {
    show(compile(sample(form, faults, Pacing::default())))
}

/// Returns the form to ask for: a stream, unless a fault happens to one JSON object only.
pub(crate) fn form(faults: &[Fault]) -> Form {
    let single = faults.iter().any(|fault| fault.info().mode == Mode::Single);
    if single { Form::Single } else { Form::Stream }
}

/// Plans the answer to a sample request for this form.
pub(crate) fn sample(form: Form, faults: &[Fault], pacing: Pacing) -> Answer {
    let pieces = ["It’s", " week", " 12", ".", " All", " is", " well", "."].map(ToOwned::to_owned);
    let reply = Reply { thinking: Some(String::new()), pieces: Some(pieces.into()), ..Reply::default() };
    answer(form, &reply, faults, pacing)
}

fn answer(form: Form, reply: &Reply, faults: &[Fault], pacing: Pacing) -> Answer {
    let request =
        ChatRequest { stream: Some(form == Form::Stream), ..ChatRequest::asking("Which week am I in?") };
    let stamp = Stamp {
        id: "5f0c7a52-9d0e-4c43-8b1f-0d6a4b8e2c11".to_owned(),
        created: 1_790_000_000,
        trace: "0123456789abcdef0123456789abcdef".to_owned(),
        date: "Mon, 21 Sep 2026 13:33:20 GMT".into(),
        seed: 0,
        profile: ApiProfile::Current,
    };
    let draft = Draft::new(&request, request.dialect(), &Prepared::of(reply.clone()), 0);
    let http2 = faults.iter().any(|fault| fault.info().carrier == Carrier::Http2);
    Plan::new(draft, faults.into(), pacing).over(Carried { http2, tls: true }).answer(&stamp)
}

fn compile(answer: Answer) -> Program {
    program::compile(answer, Persistence::KeepAlive)
}

fn show(mut program: Program) -> String {
    let framing = program.framing();
    let mut text = String::new();
    for piece in program.by_ref() {
        if !piece.wait.is_zero() {
            text.push_str(if text.ends_with('\n') { "" } else { "\n" });
            let _ = writeln!(text, "-- pause {:?}", piece.wait);
        }
        show_piece(&mut text, &piece, framing);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match program.end {
        Last::Complete => text + "-- end of the message; the connection stays open for the next request\n",
        Last::Stale { reset: false } => {
            text + "-- end of the message; the next request finds the connection closed\n"
        }
        Last::Stale { reset: true } => {
            text + "-- end of the message; the next request finds the connection reset\n"
        }
        Last::Cut(cut) => text + "-- " + &cut_text(cut) + "\n",
        Last::Hang => text + "-- silence; the socket stays open\n",
        Last::Repeat(piece) => {
            let _ = writeln!(text, "-- and for ever, every {:?}:", piece.wait);
            show_piece(&mut text, &piece, framing);
            text
        }
    }
}

fn cut_text(cut: Cut) -> String {
    match cut {
        Cut::Close => "the socket is closed".to_owned(),
        Cut::Abandon => "the socket is closed without a TLS close_notify".to_owned(),
        Cut::Reset => "the connection is reset".to_owned(),
        Cut::ResetStream(reason) => format!("RST_STREAM for {}", reason_name(reason)),
        Cut::GoAway(reason) => {
            format!("GOAWAY for {}; all streams of the connection are lost", reason_name(reason))
        }
    }
}

/// Returns the name of RFC 9113, section 7.
fn reason_name(reason: h2::Reason) -> String {
    format!("{reason:?}")
}

fn show_piece(text: &mut String, piece: &Piece, framing: Framing) {
    let mut bytes = Vec::new();
    program::put(&mut bytes, piece, framing);
    show_bytes(text, &bytes);
}

/// Writes bytes that may be too many to show.
fn show_bytes(text: &mut String, bytes: &[u8]) {
    escape(text, &bytes[..bytes.len().min(SHOWN_MAX)]);
    if bytes.len() > SHOWN_MAX {
        let _ = writeln!(text, "\n-- and {} bytes more", bytes.len() - SHOWN_MAX);
    }
}

/// Writes bytes so that each of them can be seen; a line of the wire ends a line of the text.
pub(crate) fn escape(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n\n"),
            b'\r' => text.push_str("\\r"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fault: &str) -> String {
        transcript(&[Fault::parse(fault).unwrap()])
    }

    #[test]
    fn bytes_that_cannot_be_printed_are_seen() {
        assert!(shown("bom").contains("\n3\\r\\n\n\\xef\\xbb\\xbf\\r\\n\n"), "{}", shown("bom"));
    }

    #[test]
    fn pauses_and_ends_are_told_in_words() {
        assert!(shown("stall;after_events=0;lasts=8s").contains("-- pause 8s\n"));
        assert!(shown("tcp-rst-mid-stream").ends_with("-- the connection is reset\n"));
        assert!(
            shown("keepalive-only-forever")
                .ends_with("-- and for ever, every 5s:\ne\\r\\n\n: keep-alive\\n\n\\n\n\\r\\n\n")
        );
        assert_eq!(shown("accept-no-answer"), "-- silence; the socket stays open\n");
    }

    #[test]
    fn a_huge_write_is_cut_and_counted() {
        assert!(shown("huge-line").contains(" bytes more\n"));
    }
}
