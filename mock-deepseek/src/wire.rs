//! The accepted socket, read and written at the same time.
//!
//! While an answer is written, the connection goes on reading, and so notices at once when the client
//! hangs up. Invariant: every byte that is handed in reaches the socket in order, and nothing else.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, ready},
};

use bytes::BytesMut;
use clock::Metered;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// So many bytes are read at once.
const READ_MAX: usize = 16 * 1024;

/// A socket that one future reads and another writes. It closes when it is dropped.
#[derive(Debug)]
pub(crate) struct Wire(Mutex<Metered>);

impl Wire {
    pub(crate) fn new(socket: Metered) -> Self {
        Self(Mutex::new(socket))
    }

    /// Writes some of the bytes. Cancellation-safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| Pin::new(&mut *self.socket()).poll_write(cx, bytes)).await
    }

    /// Writes all of the bytes.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => bytes = &bytes[count..],
            }
        }
        Ok(())
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

    /// Says to the client that nothing more will be written.
    pub(crate) async fn shutdown(&self) {
        // A socket that cannot be shut down is gone already.
        let _ = poll_fn(|cx| Pin::new(&mut *self.socket()).poll_shutdown(cx)).await;
    }

    /// Makes closing the socket a reset.
    pub(crate) fn reset_on_close(&self) -> io::Result<()> {
        self.socket().get_ref().set_zero_linger()
    }

    fn socket(&self) -> MutexGuard<'_, Metered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
