//! What is under way outside the runtime's run queue: bytes on sockets and work on other threads.
//!
//! A program has settled only when nothing is runnable *and* nothing is about to become runnable.
//! The runtime knows the first; this counter knows the second. Parts that read or write a socket, or
//! that hand work to another thread, report here.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A shared count of things that happened and of things still under way.
#[derive(Clone, Debug)]
pub struct Activity(Option<Arc<Counters>>);

#[derive(Debug, Default)]
struct Counters {
    events: AtomicU64,
    operations: AtomicUsize,
    /// Bytes written and not yet read, by (writer's, reader's) address. Only readers that are
    /// [metered](Activity::metered) themselves are listed, for nobody else would ever report a read.
    wires: Mutex<Wires>,
}

type Wires = HashMap<(SocketAddr, SocketAddr), Wire>;

#[derive(Debug, Default)]
struct Wire {
    written: u64,
    read: u64,
    reader: Reader,
}

#[derive(Debug, Default)]
enum Reader {
    /// Not seen (yet): its side may not be metered at all.
    #[default]
    Unknown,
    Open,
    /// There, but it does not read, and does not mean to.
    Resting,
    Gone,
}

impl Default for Activity {
    /// Begins to count.
    fn default() -> Self {
        Self(Some(Arc::default()))
    }
}

impl Activity {
    /// Counts nothing, and so costs nothing: for programs that run on the system's clock.
    pub const fn unwatched() -> Self {
        Self(None)
    }

    /// Says that something happened; the program is not settled until a while passes without.
    pub fn note(&self) {
        if let Some(counters) = &self.0 {
            counters.events.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says that work goes on elsewhere until the returned guard is dropped.
    pub fn begin(&self) -> Operation {
        self.note();
        if let Some(counters) = &self.0 {
            counters.operations.fetch_add(1, Ordering::Relaxed);
        }
        Operation(self.clone())
    }

    /// Wraps a socket so that its traffic is counted.
    ///
    /// Where both ends of a connection are wrapped, bytes that were written and not yet read keep
    /// the program unsettled.
    pub fn metered(&self, stream: TcpStream) -> io::Result<Metered> {
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        let metered = Metered { stream, local, peer, activity: self.clone() };
        metered.resume();
        Ok(metered)
    }

    /// Returns the number of things that have happened.
    pub(crate) fn events(&self) -> u64 {
        self.0.as_ref().map_or(0, |counters| counters.events.load(Ordering::Relaxed))
    }

    /// Returns what is under way in words, or `None` when nothing is.
    pub(crate) fn under_way(&self) -> Option<String> {
        let counters = self.0.as_ref()?;
        let operations = counters.operations.load(Ordering::Relaxed);
        if operations > 0 {
            return Some(format!("{operations} operations on other threads"));
        }
        let wires = counters.wires();
        // Whoever waits for an end that rests to take its bytes need not read what that end has sent.
        let rests = |(from, to): &(SocketAddr, SocketAddr)| {
            wires.get(&(*to, *from)).is_some_and(|wire| matches!(wire.reader, Reader::Resting))
        };
        let ((from, to), wire) = wires.iter().find(|(way, wire)| wire.unread() > 0 && !rests(way))?;
        Some(format!("{} bytes from {from} not read by {to}", wire.unread()))
    }

    fn with_wires(&self, change: impl FnOnce(&mut Wires)) {
        if let Some(counters) = &self.0 {
            change(&mut counters.wires());
        }
    }
}

impl Counters {
    fn wires(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    fn unread(&self) -> u64 {
        match self.reader {
            Reader::Open => self.written.saturating_sub(self.read),
            Reader::Unknown | Reader::Resting | Reader::Gone => 0,
        }
    }
}

/// Work under way elsewhere; see [`Activity::begin`].
#[derive(Debug)]
pub struct Operation(Activity);

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(counters) = &self.0.0 {
            counters.operations.fetch_sub(1, Ordering::Relaxed);
        }
        self.0.note();
    }
}

/// A TCP socket whose traffic is counted.
#[derive(Debug)]
pub struct Metered {
    stream: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
    activity: Activity,
}

impl Metered {
    /// Returns the socket below, for options such as linger.
    pub fn get_ref(&self) -> &TcpStream {
        &self.stream
    }

    /// Says that this end rests: it reads nothing, on purpose, so that bytes for it keep nothing unsettled.
    pub fn rest(&self) {
        self.become_reader(Reader::Resting);
    }

    /// Says that this end reads again.
    pub fn resume(&self) {
        self.become_reader(Reader::Open);
    }

    fn become_reader(&self, reader: Reader) {
        self.activity.note();
        self.activity.with_wires(|wires| wires.entry((self.peer, self.local)).or_default().reader = reader);
    }

    fn wrote(&self, bytes: usize) {
        self.activity.note();
        let key = (self.local, self.peer);
        self.activity.with_wires(|wires| wires.entry(key).or_default().written += bytes as u64);
    }

    fn read(&self, bytes: usize) {
        self.activity.note();
        let key = (self.peer, self.local);
        self.activity.with_wires(|wires| wires.entry(key).or_default().read += bytes as u64);
    }
}

impl Drop for Metered {
    /// Forgets what this end will never read, and the connection when both ends are gone.
    fn drop(&mut self) {
        self.activity.note();
        let (incoming, outgoing) = ((self.peer, self.local), (self.local, self.peer));
        self.activity.with_wires(|wires| {
            if let Some(wire) = wires.get_mut(&incoming) {
                wire.reader = Reader::Gone;
            }
            let other_is_there = wires
                .get(&outgoing)
                .is_some_and(|wire| matches!(wire.reader, Reader::Open | Reader::Resting));
            if !other_is_there {
                wires.remove(&incoming);
                wires.remove(&outgoing);
            }
        });
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if outcome.is_ready() {
            self.read(buf.filled().len() - before);
        }
        outcome
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.wrote(bytes);
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.activity.note();
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.wrote(bytes);
        }
        outcome
    }
}
