//! The accepted socket, read and written at the same time.
//!
//! While an answer is written, the connection goes on reading, and so notices at once when the client
//! hangs up. Invariant: every byte that is handed in reaches the socket in order, and nothing else.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{socket::Socket, write::Outlet};

/// So many bytes are read at once.
const READ_MAX: usize = 16 * 1024;

/// A socket that one future reads and another writes. It closes when it is dropped.
#[derive(Debug)]
pub(crate) struct Wire(Mutex<Socket>);

impl Wire {
    pub(crate) fn new(socket: Socket) -> Self {
        Self(Mutex::new(socket))
    }

    /// Writes all of the bytes.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match Outlet::write(self, bytes).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => bytes = &bytes[count..],
            }
        }
        Outlet::flush(self).await
    }

    /// Appends what has arrived to the buffer; 0 means that the client has closed its side.
    ///
    /// The buffer grows only when something is there. Cancellation-safe.
    pub(crate) async fn read(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut room = [MaybeUninit::uninit(); READ_MAX];
            let mut arrived = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut *self.socket()).poll_read(cx, &mut arrived))?;
            buffer.extend_from_slice(arrived.filled());
            Poll::Ready(Ok(arrived.filled().len()))
        })
        .await
    }

    /// Says to the client that nothing more will be written; under TLS with a `close_notify`.
    pub(crate) async fn shutdown(&self) {
        // A socket that cannot be shut down is gone already.
        let _ = poll_fn(|cx| Pin::new(&mut *self.socket()).poll_shutdown(cx)).await;
    }

    /// Makes closing the socket a reset.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.socket().tcp().set_zero_linger()
    }

    /// Says whether the bytes travel under TLS.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(*self.socket(), Socket::Tls(_))
    }

    fn socket(&self) -> MutexGuard<'_, Socket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Wire {
    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| Pin::new(&mut *self.socket()).poll_write(cx, bytes)).await
    }

    async fn flush(&self) -> io::Result<()> {
        poll_fn(|cx| Pin::new(&mut *self.socket()).poll_flush(cx)).await
    }
}

/// The wire as one stream, with what has been read from it already in front.
#[derive(Debug)]
pub(crate) struct Rewound {
    pub(crate) front: BytesMut,
    pub(crate) wire: Arc<Wire>,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.front.is_empty() {
            return Pin::new(&mut *self.wire.socket()).poll_read(cx, buf);
        }
        let count = self.front.len().min(buf.remaining());
        buf.put_slice(&self.front.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.wire.socket()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.wire.socket()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.wire.socket()).poll_shutdown(cx)
    }
}
