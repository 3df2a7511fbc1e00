//! Sees every exchange begin, get its plan and end: counts it, logs it, and tells live readers.
//!
//! Invariant: a watcher never waits for a reader and never keeps more than [`FEED_MAX`] messages for one;
//! neither the log nor the feed holds text of messages.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use clock::SharedClock;
use tokio::sync::broadcast;

use crate::{journal::Entry, metrics::Metrics, summary::Summary};

/// So many messages wait for a live reader; one that falls further behind is dropped.
pub const FEED_MAX: usize = 1024;

/// Whoever looks on.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) metrics: Metrics,
    clock: SharedClock,
    feed: broadcast::Sender<News>,
    /// Kept beside the feed, which would have to be locked to be asked.
    listeners: Arc<AtomicUsize>,
}

/// Somebody who hears the news, until it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    feed: broadcast::Receiver<News>,
    listeners: Arc<AtomicUsize>,
}

impl Listener {
    /// Waits for the next news. Cancellation-safe.
    pub(crate) async fn next(&mut self) -> Result<News, broadcast::error::RecvError> {
        self.feed.recv().await
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a live reader hears.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// A [`Summary`] as JSON.
    Exchange(Arc<str>),
    /// The journal was cleared; numbers begin at 1 again.
    Forgotten,
}

impl Watch {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            metrics: Metrics::new(),
            clock,
            feed: broadcast::Sender::new(FEED_MAX),
            listeners: Arc::default(),
        }
    }

    /// Begins to listen.
    pub(crate) fn listen(&self) -> Listener {
        let feed = self.feed.subscribe();
        self.listeners.fetch_add(1, Ordering::Relaxed);
        Listener { feed, listeners: Arc::clone(&self.listeners) }
    }

    /// Returns how many listen.
    pub(crate) fn readers(&self) -> usize {
        self.listeners.load(Ordering::Relaxed)
    }

    pub(crate) fn opened(&self) {
        self.metrics.opened();
    }

    pub(crate) fn planned(&self, entry: &Entry) {
        self.tell(entry);
    }

    pub(crate) fn ended(&self, entry: &Entry) {
        self.metrics.ended(entry);
        self.tell(entry);
        log(entry);
    }

    pub(crate) fn forgotten(&self) {
        // Where nobody listens nobody needs to know.
        let _ = self.feed.send(News::Forgotten);
    }

    fn tell(&self, entry: &Entry) {
        if self.readers() > 0 {
            // The last reader may leave at this very moment; then nobody misses it.
            let _ = self.feed.send(News::Exchange(Summary::of(entry, &*self.clock).json().into()));
        }
    }
}

/// Writes one line; the path is cut, for it is the client's.
fn log(entry: &Entry) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let faults: Vec<_> = entry.faults.iter().map(|fault| fault.id).collect();
    let unfired = entry.faults.iter().filter(|fault| !fault.fired).count();
    tracing::info!(
        number = entry.number,
        method = %entry.method.chars().take(PATH_MAX).collect::<String>(),
        path = %entry.path.chars().take(PATH_MAX).collect::<String>(),
        status = entry.status,
        rule = entry.rule.as_deref(),
        faults = %faults.join(","),
        unfired,
        bytes = entry.written,
        events = entry.events,
        end = entry.end.map(|end| end.how.as_str()),
        ms = entry.lasted().map(|span| span.as_secs_f64() * 1000.0),
        "exchange ended"
    );
}

/// Of a method and of a path, so many characters are logged.
const PATH_MAX: usize = 200;
