//! Sees every exchange begin, get its plan and end: counts it, logs it, and tells live readers.
//!
//! Invariant: a watcher never waits for a reader and never keeps more than [`FEED_MAX`] messages for one;
//! neither the log nor the feed holds text of messages.

use std::sync::Arc;

use clock::SharedClock;
use tokio::sync::broadcast;

use crate::{journal::Exchange, metrics::Metrics, summary::Summary};

/// So many messages wait for a live reader; one that falls further behind is dropped.
pub const FEED_MAX: usize = 1024;

/// Whoever looks on.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) metrics: Metrics,
    clock: SharedClock,
    feed: broadcast::Sender<News>,
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
        Self { metrics: Metrics::new(), clock, feed: broadcast::Sender::new(FEED_MAX) }
    }

    /// Begins to listen.
    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.feed.subscribe()
    }

    /// Returns how many listen.
    pub(crate) fn readers(&self) -> usize {
        self.feed.receiver_count()
    }

    pub(crate) fn opened(&self) {
        self.metrics.opened();
    }

    pub(crate) fn planned(&self, exchange: &Exchange) {
        self.tell(exchange);
    }

    pub(crate) fn ended(&self, exchange: &Exchange) {
        self.metrics.ended(exchange);
        self.tell(exchange);
        log(exchange);
    }

    pub(crate) fn forgotten(&self) {
        // Where nobody listens nobody needs to know.
        let _ = self.feed.send(News::Forgotten);
    }

    fn tell(&self, exchange: &Exchange) {
        if self.feed.receiver_count() > 0 {
            // The last reader may leave at this very moment; then nobody misses it.
            let _ = self.feed.send(News::Exchange(Summary::of(exchange, &*self.clock).json().into()));
        }
    }
}

/// Writes one line; the path is cut, for it is the client's.
fn log(exchange: &Exchange) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let faults: Vec<_> = exchange.faults.iter().map(|fault| fault.id).collect();
    let unfired = exchange.faults.iter().filter(|fault| !fault.fired).count();
    tracing::info!(
        number = exchange.number,
        method = %exchange.method,
        path = %exchange.path.chars().take(PATH_MAX).collect::<String>(),
        status = exchange.status(),
        rule = exchange.rule.as_deref(),
        faults = %faults.join(","),
        unfired,
        bytes = exchange.written,
        events = exchange.events,
        end = exchange.end.map(|end| end.how.as_str()),
        ms = exchange.lasted().map(|span| span.as_secs_f64() * 1000.0),
        "exchange ended"
    );
}

/// Of a path, so many characters are logged.
const PATH_MAX: usize = 200;
