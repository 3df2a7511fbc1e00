//! Passes a live answer on to the client, piece by piece, and keeps a copy.
//!
//! A piece goes out before the next one is asked for, so a client that reads slowly slows the upstream down.
//! Invariant: when the client sees the end of an answer, the exchange is in the file or counted as left out.

use std::{io, time::Duration};

use bytes::Bytes;
use clock::Instant;

use super::{ANSWER_KEPT_MAX, BodyEnd, Ended, How, Take, upstream::Next};
use crate::{
    answer::{Cut, Framing, Head, Kind, Marks, Piece, Wrapping},
    cassette::{Answered, Asked, Content, Track},
    events::Events,
    journal,
    program::LAST_CHUNK,
    scrub::{self, Media},
    write::{After, Buffer, Outlet, Way},
};

/// How an answer is told to the client.
#[derive(Debug)]
pub(crate) struct Telling {
    /// What stands before the body: the head, where it does not travel by itself.
    pub(crate) front: Bytes,
    pub(crate) framing: Framing,
}

/// Passes the answer on. Dropping the future leaves the exchange out.
pub(crate) async fn run<O: Outlet>(take: Take<'_>, telling: Telling, way: Way<'_, O>) -> After {
    let mut copy = Copy { take, pieces: Vec::new(), bytes: 0, is_settled: false };
    let (how, after) = match copy.pass(telling, way).await {
        Ok(How::Complete) => (journal::How::Completed, After::Usable),
        Ok(How::Cut) => (journal::How::Cut, After::Cut(Cut::Close)),
        Ok(How::Reset) => (journal::How::Cut, After::Cut(Cut::Reset)),
        Err(_gone) => (journal::How::ClientHungUp, After::Gone),
    };
    way.recorder.end(how);
    after
}

impl Take<'_> {
    /// Says how the client is told of the end. HTTP/1.0 knows no chunks.
    pub(crate) fn framing(&self, knows_chunks: bool) -> Framing {
        match self.upstream.ends {
            BodyEnd::Chunked if knows_chunks => Framing::Chunked,
            BodyEnd::Length => Framing::Length,
            BodyEnd::Chunked | BodyEnd::Close => Framing::Closing,
        }
    }

    /// Returns the head as the client gets it.
    pub(crate) fn head(&self, framing: Framing) -> Head {
        let owned = |(name, value): &(String, String)| (name.clone().into(), value.clone().into());
        let headers = self.upstream.headers.iter().map(owned).collect();
        let (marks, held) = (Marks::default(), Marks::default());
        Head { status: self.upstream.status, headers, framing, marks, wait: Duration::ZERO, held }
    }

    /// Returns how many bytes the head promises.
    pub(crate) fn length(&self) -> usize {
        self.upstream.due.and_then(|due| usize::try_from(due).ok()).unwrap_or_default()
    }
}

/// What has come of an answer so far.
struct Copy<'a> {
    take: Take<'a>,
    pieces: Vec<(Instant, Bytes)>,
    bytes: usize,
    is_settled: bool,
}

impl Copy<'_> {
    async fn pass<O: Outlet>(&mut self, telling: Telling, way: Way<'_, O>) -> io::Result<How> {
        let Telling { front, framing } = telling;
        let verbatim = |bytes| Piece { wrapping: Wrapping::Verbatim, ..Piece::raw(Kind::Fragment, bytes) };
        let (mut buffer, mut events) = (Buffer::default(), Events::default());
        buffer.push(&verbatim(front), framing);
        buffer.flush(way).await?;
        let streams = self.media() == Media::Events;
        loop {
            match self.take.upstream.next(way.clock).await {
                Next::Piece(bytes) => {
                    self.keep(way.clock.now(), &bytes);
                    if self.take.upstream.is_through() {
                        self.settle(How::Complete, way.clock.now());
                    }
                    let passed = if streams { events.count(&bytes) } else { 0 };
                    buffer.push(&Piece::raw(Kind::Fragment, bytes), framing);
                    buffer.flush(way).await?;
                    if passed > 0 {
                        way.recorder.passed(passed, Marks::default());
                    }
                }
                Next::Silence => {
                    self.leave_out("the upstream fell silent within the answer");
                    return Ok(How::Cut);
                }
                Next::End(how) => {
                    self.settle(how, way.clock.now());
                    if how == How::Complete && framing == Framing::Chunked {
                        buffer.push(&verbatim(LAST_CHUNK.into()), framing);
                        buffer.flush(way).await?;
                    }
                    return Ok(how);
                }
            }
        }
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
        if let Some(coding) = upstream.compressed.clone().filter(|_| !self.take.deck.settings.compressed) {
            return self.leave_out(&format!("the answer is compressed ({coding}) and cannot be scrubbed"));
        }
        self.is_settled = true;
        let ended = Ended { how, at, missing: upstream.due.unwrap_or_default() };
        let mut tape = self.take.deck.tape();
        let track = self.track(&mut tape.scrubber, ended);
        tape.save(&track);
    }

    fn leave_out(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.is_settled, true) {
            self.take.deck.leave_out(reason);
        }
    }

    /// Scrubs the exchange.
    fn track(&self, scrubber: &mut scrub::Scrubber, ended: Ended) -> Track {
        let Take { sent, began, answered, upstream, .. } = &self.take;
        let since = |at: Instant| u64::try_from(at.since(*began).as_millis()).unwrap_or(u64::MAX);
        let headers = scrub::request_headers(scrubber, &sent.headers);
        let path = scrub::path(scrubber, &sent.path);
        let body = Content::of(scrubber.body(std::slice::from_ref(&sent.body), Media::Other).concat());
        let request = Asked { method: sent.method.clone(), path, headers, body };
        let headers = scrub::answer_headers(scrubber, &upstream.headers, self.take.deck.settings.traces);
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
