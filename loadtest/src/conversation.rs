//! One connection's part of the load: ask, read to the end, ask again.
//!
//! Invariant: each answer that was asked for is counted once, as whole, as broken or (when the load is
//! cut by plan) as not judged.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use clock::{Instant, SharedClock};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use crate::{
    broken::Broken,
    scanner::{Expected, Reuse, Scanner},
    tally::Record,
};

/// One buffer serves all connections: nothing stays in it between two reads.
const BUFFER: usize = 256 * 1024;

/// What all connections of a load share.
#[derive(Debug)]
pub(crate) struct Conversations {
    pub(crate) clock: SharedClock,
    pub(crate) request: Bytes,
    pub(crate) expected: Expected,
    /// Whether the time between two events is worth a record.
    pub(crate) paced: bool,
    record: Mutex<Record>,
    buffer: Mutex<Box<[u8]>>,
    stopping: AtomicBool,
}

/// How one connection ended without breaking an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The load is over.
    Stopped,
    /// The target closed it between two answers, as it may.
    Closed,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Whole answers on it.
    pub(crate) whole: u64,
    /// How it ended.
    pub(crate) left: Result<Left, Broken>,
}

/// An answer that is being read.
#[derive(Debug)]
struct Reading<'a> {
    scanner: &'a mut Scanner,
    begun: &'a mut bool,
    asked: Instant,
    /// When the last event came.
    last: Option<Instant>,
}

impl Conversations {
    pub(crate) fn new(clock: SharedClock, request: Bytes, expected: Expected, paced: bool) -> Arc<Self> {
        Arc::new(Self {
            clock,
            request,
            expected,
            paced,
            record: Mutex::default(),
            buffer: Mutex::new(vec![0; BUFFER].into()),
            stopping: AtomicBool::new(false),
        })
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no further request begin.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Asks again and again on one connection, until the load is over or the connection is.
    ///
    /// `begun` says whether an answer has ever begun here, and is kept when the connection is opened again.
    pub(crate) async fn hold<S>(&self, socket: &mut S, begun: &mut bool) -> Held
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut scanner = Scanner::new(self.expected);
        let mut whole = 0;
        while !self.is_stopping() {
            let left = match self.ask(socket, &mut scanner, begun).await {
                Ok(Reuse::Yes) => None,
                Ok(Reuse::No) => Some(Ok(Left::Closed)),
                // A target may close an idle connection just when the next request is on its way.
                Err(Broken::Cut) if whole > 0 && scanner.is_fresh() => {
                    return Held { whole, left: Ok(Left::Closed) };
                }
                Err(broken) => return Held { whole, left: Err(broken) },
            };
            whole += 1;
            scanner.reset();
            if let Some(left) = left {
                return Held { whole, left };
            }
        }
        Held { whole, left: Ok(Left::Stopped) }
    }

    async fn ask<S>(&self, socket: &mut S, scanner: &mut Scanner, begun: &mut bool) -> Result<Reuse, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut reading = Reading { scanner, begun, asked: self.clock.now(), last: None };
        socket.write_all(&self.request).await.map_err(|_| Broken::Cut)?;
        loop {
            let read = poll_fn(|cx| self.poll_read(cx, socket, &mut reading)).await;
            if let Some(reuse) = read? {
                self.count(&reading);
                return Ok(reuse);
            }
        }
    }

    /// Reads once into the shared buffer and scans what came, before anybody else can use it.
    fn poll_read<S: AsyncRead + Unpin>(
        &self,
        cx: &mut Context<'_>,
        socket: &mut S,
        reading: &mut Reading<'_>,
    ) -> Poll<Result<Option<Reuse>, Broken>> {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = ReadBuf::new(&mut buffer);
        let read: io::Result<()> = ready!(Pin::new(socket).poll_read(cx, &mut buffer));
        if read.is_err() {
            return Poll::Ready(Err(Broken::Cut));
        }
        if buffer.filled().is_empty() {
            return Poll::Ready(reading.scanner.end().map(Some));
        }
        if !std::mem::replace(reading.begun, true) {
            self.record().begun += 1;
        }
        let fed = reading.scanner.feed(buffer.filled());
        if let Ok(fed) = &fed
            && fed.events > 0
        {
            self.pass(fed.events, reading);
        }
        Poll::Ready(fed.map(|fed| fed.end))
    }

    /// Counts events that came together.
    fn pass(&self, events: u64, reading: &mut Reading<'_>) {
        let now = self.clock.now();
        let window = &mut self.record().window;
        window.events += events;
        match reading.last.replace(now) {
            None => window.first.record(now.since(reading.asked)),
            Some(last) if self.paced => window.gap.record(now.since(last)),
            Some(_) => {}
        }
    }

    fn count(&self, reading: &Reading<'_>) {
        let took = self.clock.now().since(reading.asked);
        let mut record = self.record();
        record.whole += 1;
        record.window.answers += 1;
        record.window.answer.record(took);
        if let Expected::Chunks(_) = self.expected {
            record.window.done += 1;
        }
    }
}

#[cfg(test)]
mod tests;
