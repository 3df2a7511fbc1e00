//! Passes a live answer on to the client, piece by piece, and keeps a copy.
//!
//! A piece goes out before the next one is asked for, so a client that reads slowly slows the upstream down.
//! Invariant: when the client sees the end of an answer, the exchange is in the file or counted as left out.

use std::io;

use bytes::Bytes;
use clock::{Clock, Instant};

use super::{ANSWER_KEPT_MAX, BodyEnd, Deck, Ended, How, Take, upstream::Next};
use crate::{
    answer::{Framing, Head, Marks},
    cassette::{Answered, Asked, Content, Track},
    events::Events,
    journal::{self, Recorder},
    program::{self, Persistence},
    scrub::{self, Media},
    wire::Wire,
    write::Over,
};

/// The client's side of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) recorder: &'a Recorder,
    pub(crate) persistence: Persistence,
    /// HTTP/1.0 knows no chunks.
    pub(crate) knows_chunks: bool,
}

/// Passes the answer on. Dropping the future leaves the exchange out.
pub(crate) async fn run(deck: &Deck, take: Take, listener: Listener<'_>) -> Result<Persistence, Over> {
    let mut copy = Copy { deck, take, pieces: Vec::new(), bytes: 0, is_settled: false };
    let outcome = copy.pass(listener).await;
    let (how, end) = match outcome {
        Ok((How::Complete, persistence)) => (journal::How::Completed, Ok(persistence)),
        Ok((How::Cut, _)) => (journal::How::Cut, Err(Over)),
        Ok((How::Reset, _)) => {
            // A socket that cannot be told to reset is closed; the journal shows a cut either way.
            drop(listener.wire.reset_on_close());
            (journal::How::Cut, Err(Over))
        }
        Err(_gone) => (journal::How::ClientHungUp, Err(Over)),
    };
    listener.recorder.end(how);
    end
}

/// What has come of an answer so far.
struct Copy<'a> {
    deck: &'a Deck,
    take: Take,
    pieces: Vec<(Instant, Bytes)>,
    bytes: usize,
    is_settled: bool,
}

impl Copy<'_> {
    async fn pass(&mut self, listener: Listener<'_>) -> io::Result<(How, Persistence)> {
        let (framing, persistence) = self.framing(listener);
        let head = program::head_bytes(&self.head(framing), self.length(), persistence);
        listener.write(head.as_bytes()).await?;
        let mut events = Events::default();
        let streams = self.media() == Media::Events;
        loop {
            match self.take.upstream.next(listener.clock).await {
                Next::Piece(bytes) => {
                    self.keep(listener.clock.now(), &bytes);
                    if self.take.upstream.is_through() {
                        self.settle(How::Complete, listener.clock.now());
                    }
                    listener.write(&framed(&bytes, framing)).await?;
                    let passed = if streams { events.count(&bytes) } else { 0 };
                    (0..passed).for_each(|_| listener.recorder.passed(true, Marks::default()));
                }
                Next::Silence => {
                    self.leave_out("the upstream fell silent within the answer");
                    return Ok((How::Cut, persistence));
                }
                Next::End(how) => {
                    self.settle(how, listener.clock.now());
                    if how == How::Complete && framing == Framing::Chunked {
                        listener.write(b"0\r\n\r\n").await?;
                    }
                    return Ok((how, persistence));
                }
            }
        }
    }

    /// Says how the client is told of the end, and what becomes of its connection.
    fn framing(&self, listener: Listener<'_>) -> (Framing, Persistence) {
        match self.take.upstream.ends {
            BodyEnd::Chunked if listener.knows_chunks => (Framing::Chunked, listener.persistence),
            BodyEnd::Length => (Framing::Length, listener.persistence),
            BodyEnd::Chunked | BodyEnd::Close => (Framing::Closing, Persistence::Close),
        }
    }

    fn head(&self, framing: Framing) -> Head {
        let upstream = &self.take.upstream;
        Head { status: upstream.status, headers: upstream.headers.clone(), framing, marks: Marks::default() }
    }

    fn length(&self) -> usize {
        self.take.upstream.due.and_then(|due| usize::try_from(due).ok()).unwrap_or_default()
    }

    fn media(&self) -> Media {
        let named = self.take.upstream.headers.iter().find(|(name, _)| name == "content-type");
        Media::of(named.map_or("", |(_, value)| value))
    }

    fn keep(&mut self, at: Instant, bytes: &Bytes) {
        self.bytes += bytes.len();
        if self.bytes > ANSWER_KEPT_MAX {
            self.pieces = Vec::new();
        } else {
            self.pieces.push((at, bytes.clone()));
        }
    }

    /// Saves the exchange, once, if it can be kept.
    fn settle(&mut self, how: How, at: Instant) {
        let upstream = &self.take.upstream;
        if self.is_settled {
            return;
        }
        if self.bytes > ANSWER_KEPT_MAX {
            return self.leave_out(&format!("the answer is longer than {ANSWER_KEPT_MAX} bytes"));
        }
        if let Some(coding) = upstream.compressed.clone().filter(|_| !self.deck.settings.compressed) {
            return self.leave_out(&format!("the answer is compressed ({coding}) and cannot be scrubbed"));
        }
        self.is_settled = true;
        let ended = Ended { how, at, missing: upstream.due.unwrap_or_default() };
        let mut tape = self.deck.tape();
        let track = self.track(&mut tape.scrubber, ended);
        tape.save(&track);
    }

    fn leave_out(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_settled, true) {
            self.deck.leave_out(reason);
        }
    }

    /// Scrubs the exchange.
    fn track(&self, scrubber: &mut scrub::Scrubber, ended: Ended) -> Track {
        let Take { sent, began, answered, upstream } = &self.take;
        let since = |at: Instant| u64::try_from(at.since(*began).as_millis()).unwrap_or(u64::MAX);
        let headers = scrub::request_headers(scrubber, &sent.headers);
        let path = scrub::path(scrubber, &sent.path);
        let body = Content::of(scrubber.body(std::slice::from_ref(&sent.body), Media::Other).concat());
        let request = Asked { method: sent.method.clone(), path, headers, body };
        let headers = scrub::answer_headers(scrubber, &upstream.headers, self.deck.settings.traces);
        let (times, bytes): (Vec<_>, Vec<_>) = self.pieces.iter().cloned().unzip();
        let clean = match upstream.compressed {
            Some(_) => bytes.iter().map(|piece| piece.to_vec()).collect(),
            None => scrubber.body(&bytes, self.media()),
        };
        let pieces = times.into_iter().zip(clean).filter(|(_, piece)| !piece.is_empty());
        let answer = Answered {
            at_ms: since(*answered),
            status: upstream.status,
            framing: upstream.ends,
            headers,
            compressed: upstream.compressed.clone(),
            pieces: pieces.map(|(at, piece)| (since(at), piece.into())).collect(),
            end_ms: since(ended.at),
            how: ended.how,
            missing: ended.missing,
        };
        Track { line: 0, request, answer }
    }
}

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        self.leave_out("the client left before the end of the answer");
    }
}

impl Listener<'_> {
    async fn write(self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let count = self.wire.write(&bytes[written..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.recorder.wrote(self.clock.now(), &bytes[written..written + count]);
            written += count;
        }
        Ok(())
    }
}

/// Puts a piece into a chunk where the body has chunks.
fn framed(bytes: &Bytes, framing: Framing) -> Bytes {
    if framing != Framing::Chunked || bytes.is_empty() {
        return bytes.clone();
    }
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat().into()
}
