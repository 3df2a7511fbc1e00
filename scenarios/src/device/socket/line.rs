//! A client's end of a connection, which can be told to misbehave.
//!
//! Invariant: writing never blocks. What the server does not take waits here, so that a client that floods can
//! still read, stop reading, or leave.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use clock::Metered;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{model::Opcode, wire::code_of};

/// Most bytes that may wait to be sent.
const OUT_MAX: usize = 64 * 1024 * 1024;

/// The end of a connection.
#[derive(Debug)]
pub(super) struct Line {
    stream: Metered,
    out: Vec<u8>,
    reads: bool,
    sends: bool,
    pongs: bool,
    ending: Ending,
}

/// How far this side has ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Open,
    /// When all is sent.
    Wanted,
    Ended,
}

impl Line {
    pub(super) const fn new(stream: Metered) -> Self {
        Self { stream, out: Vec::new(), reads: true, sends: true, pongs: true, ending: Ending::Open }
    }

    /// Takes bytes to send; tells whether they will be, unless the connection ends before.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.out.len() + bytes.len() <= OUT_MAX;
        let takes = fits && self.sends && self.ending == Ending::Open;
        if takes {
            self.out.extend_from_slice(bytes);
        }
        takes
    }

    /// Reads nothing any more.
    pub(super) fn stop_reading(&mut self) {
        self.reads = false;
        self.stream.rest();
    }

    /// Does nothing any more.
    pub(super) fn vanish(&mut self) {
        self.stop_reading();
        self.sends = false;
    }

    /// Behaves as a sound client.
    pub(super) fn go_on(&mut self) {
        (self.reads, self.sends, self.pongs) = (true, true, true);
        self.stream.resume();
    }

    /// Answers no pings any more.
    pub(super) const fn ignore_pings(&mut self) {
        self.pongs = false;
    }

    /// Ends this side when all is sent.
    pub(super) fn close_half(&mut self) {
        self.ending = Ending::Wanted;
    }

    /// Lets the connection end by a reset when it is dropped.
    pub(super) fn reset(&self) -> io::Result<()> {
        self.stream.get_ref().set_zero_linger()
    }

    /// Sends what the other side takes.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sends && !self.out.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out))?;
            self.out.drain(..sent);
        }
        if self.ending == Ending::Wanted {
            self.ending = Ending::Ended;
            return Pin::new(&mut self.stream).poll_shutdown(cx);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Line {
    /// Sends what waits, then reads. That nothing can be sent any more is seen by reading.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(_)) = self.drain(cx) {
            self.out.clear();
        }
        if self.reads { Pin::new(&mut self.stream).poll_read(cx, buf) } else { Poll::Pending }
    }
}

impl AsyncWrite for Line {
    /// Takes what the protocol answers by itself: pongs, and the goodbye.
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let is_pong = buf.first().is_some_and(|first| first & 0xf == code_of(Opcode::Pong));
        if self.pongs || !is_pong {
            self.push(buf);
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.drain(cx) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
