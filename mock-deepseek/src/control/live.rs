//! The live journal: server-sent events for whoever looks on, such as the page.
//!
//! Invariant: a reader that does not keep up is told so by its name and dropped; nobody waits for it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    extract::State,
    http::StatusCode,
    response::sse::{Event, Sse},
};
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

use super::{Control, Refusal, journal};
use crate::{
    metrics::Refused,
    summary::Summary,
    watch::{Listener, News},
};

/// The most readers of the live journal at once.
pub const READERS_MAX: usize = 32;
/// A reader first gets so many exchanges that were there before.
const BACKLOG_MAX: usize = 100;
/// A browser that was dropped comes back after this time.
const RETRY: Duration = Duration::from_secs(1);

/// Somebody who looks on.
#[derive(Debug)]
struct Reader {
    name: String,
    /// What is sent first.
    backlog: VecDeque<Event>,
    feed: Listener,
    control: Arc<Control>,
    dropped: bool,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn stream(
    State(control): State<Arc<Control>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let reader = Reader::new(control)?;
    Ok(Sse::new(stream::unfold(reader, async |mut reader| Some((Ok(reader.next().await?), reader)))))
}

impl Reader {
    fn new(control: Arc<Control>) -> Result<Self, Refusal> {
        let metrics = &control.shared.journal.watch.metrics;
        let place = Arc::clone(&control.readers).try_acquire_owned().map_err(|_full| {
            metrics.refused(Refused::Reader);
            let message = format!("the live journal has {READERS_MAX} readers already");
            let hint = "close one, or ask `/__mock/journal?since=N` again and again";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", message, hint)
        })?;
        let name = format!("reader {}", control.named.fetch_add(1, Ordering::Relaxed) + 1);
        // Listening begins before the backlog is read: an exchange may be told twice, but none is missed.
        let feed = control.shared.journal.watch.listen();
        let backlog = backlog(&control, &name);
        Ok(Self { name, backlog, feed, control, dropped: false, _place: place })
    }

    /// Returns the next event; `None` after the reader was dropped, and when the mock stops.
    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.backlog.pop_front() {
            return Some(event);
        }
        if self.dropped {
            return None;
        }
        match self.feed.next().await {
            Ok(News::Exchange(text)) => Some(Event::default().event("exchange").data(text)),
            Ok(News::Forgotten) => Some(Event::default().event("forgotten").data("{}")),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(self.drop_out(missed)),
        }
    }

    fn drop_out(&mut self, missed: u64) -> Event {
        tracing::warn!(reader = self.name, missed, "reader of the live journal was too slow and is dropped");
        self.control.shared.journal.watch.metrics.refused(Refused::SlowReader);
        self.dropped = true;
        Event::default().event("dropped").data(json!({"reader": self.name, "missed": missed}).to_string())
    }
}

/// Returns a greeting and the newest exchanges.
fn backlog(control: &Control, name: &str) -> VecDeque<Event> {
    let (kept, clock) = (&control.shared.journal, &*control.shared.clock);
    let first = journal::newest(kept, BACKLOG_MAX, |_| true);
    let hello = Event::default().event("hello").retry(RETRY).data(json!({"reader": name}).to_string());
    let told = kept.pick(|entry| {
        let wanted = entry.number >= first;
        wanted.then(|| Event::default().event("exchange").data(Summary::of(entry, clock).json()))
    });
    std::iter::once(hello).chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FEED_MAX, MockDeepSeek};

    #[tokio::test]
    async fn a_reader_that_does_not_keep_up_is_dropped_by_name_m11() {
        let mock = MockDeepSeek::start().await.unwrap();
        let mut reader = Reader::new(Arc::new(mock.a_control())).unwrap();
        reader.backlog.clear();

        for _ in 0..=FEED_MAX {
            reader.control.shared.journal.open(crate::journal::Arrival {
                connection: 1,
                nth: 1,
                method: "GET",
                path: "/models",
                headers: &crate::headers::Headers::default(),
            });
        }

        let last = format!("{:?}", reader.next().await.unwrap());
        assert!(last.contains("dropped") && last.contains("reader 1"), "{last}");
        assert!(reader.next().await.is_none());
    }

    #[tokio::test]
    async fn there_are_only_so_many_readers_m11() {
        let mock = MockDeepSeek::start().await.unwrap();
        let control = Arc::new(mock.a_control());
        let readers: Vec<_> = (0..READERS_MAX).map(|_| Reader::new(Arc::clone(&control)).unwrap()).collect();

        assert!(Reader::new(Arc::clone(&control)).is_err());
        drop(readers);

        assert!(Reader::new(control).is_ok());
    }
}
