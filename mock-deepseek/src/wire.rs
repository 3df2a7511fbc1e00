//! The accepted socket, shared between hyper and the writer.
//!
//! hyper reads and parses requests from it, and so notices at once when the client hangs up. Answers
//! are written by us, byte for byte, around hyper. For each answer hyper then believes that it has
//! sent an empty one of its own: those bytes are *swallowed* here. Invariant: apart from swallowed
//! heads, every byte that is handed in reaches the socket.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use clock::Metered;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end of a head that has no body.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// So much of a request that finds the connection dead is read and thrown away.
const UNREAD_MAX: usize = 16 * 1024;

/// A handle on the socket; it closes when the last one is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    socket: Metered,
    swallow: Swallow,
    /// Set when the next byte of the client finds the connection dead; whether by a reset.
    stale: Option<bool>,
}

/// Whether hyper's writes go to the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swallow {
    No,
    /// Bytes vanish up to the end of a head, of which so many have been seen.
    Head(usize),
}

impl Wire {
    pub(crate) fn new(socket: Metered) -> Self {
        Self(Arc::new(Mutex::new(Inner { socket, swallow: Swallow::No, stale: None })))
    }

    /// Writes some of the bytes to the socket, around hyper. Cancellation-safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| Pin::new(&mut self.inner().socket).poll_write(cx, bytes)).await
    }

    /// Makes the next head that hyper writes vanish, because the answer has been written already.
    pub(crate) fn swallow_head(&self) {
        self.inner().swallow = Swallow::Head(0);
    }

    /// Makes closing the socket a reset.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.inner().socket.get_ref().set_zero_linger()
    }

    /// Makes the connection end as soon as the client asks for something more.
    pub(crate) fn die_at_next_request(&self, reset: bool) {
        self.inner().stale = Some(reset);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Swallow {
    /// Returns how many of the bytes vanish, and what holds after them.
    fn take(self, bytes: &[u8]) -> (usize, Self) {
        let Self::Head(mut seen) = self else { return (0, self) };
        for (index, &byte) in bytes.iter().enumerate() {
            seen = match byte {
                _ if byte == HEAD_END[seen] => seen + 1,
                b'\r' => 1,
                _ => 0,
            };
            if seen == HEAD_END.len() {
                return (index + 1, Self::No);
            }
        }
        (bytes.len(), Self::Head(seen))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        let Some(reset) = inner.stale else { return Pin::new(&mut inner.socket).poll_read(cx, buf) };
        let mut unread = [0; UNREAD_MAX];
        let mut unread = ReadBuf::new(&mut unread);
        ready!(Pin::new(&mut inner.socket).poll_read(cx, &mut unread))?;
        if reset && !unread.filled().is_empty() {
            // A socket that cannot be told to reset is closed: dead either way.
            drop(inner.socket.get_ref().set_zero_linger());
        }
        // To hyper this is a client that has left.
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let (vanished, swallow) = inner.swallow.take(buf);
        inner.swallow = swallow;
        if vanished > 0 {
            return Poll::Ready(Ok(vanished));
        }
        Pin::new(&mut inner.socket).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        if inner.stale == Some(true) {
            // The end of our side would reach the client before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut inner.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_head_vanishes_wherever_the_writes_are_cut() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

        for cut in 0..head.len() {
            let (first, state) = Swallow::Head(0).take(&head[..cut]);
            let (second, state) = state.take(&[&head[cut..], b"HTTP/1.1 400"].concat());

            assert_eq!((first + second, state), (head.len(), Swallow::No), "{cut}");
        }
    }

    #[test]
    fn nothing_vanishes_unasked() {
        assert_eq!(Swallow::No.take(b"abc"), (0, Swallow::No));
    }
}
