//! The journal: every request, what was planned for it, what was really written, how it ended.
//!
//! Invariant: counts are exact; kept bytes and kept requests are bounded, the oldest going first.
//! Secrets are not kept: of a key only the last four characters remain.

mod entry;

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use clock::{Instant, SharedClock};
use serde_json::Value;

pub(crate) use entry::Entry;

use crate::{answer::Marks, fault::Fault, headers::Headers, watch::Watch};

/// The most exchanges that are kept.
pub const EXCHANGES_MAX: usize = 10_000;
/// The most bytes of requests that are kept, heads and bodies over all exchanges.
pub const BODIES_KEPT_MAX: usize = 64 * 1024 * 1024;
/// The most written bytes that are kept of one exchange; counts go on beyond.
pub const WRITTEN_KEPT_MAX: usize = 64 * 1024;
/// The most written bytes that are kept over all exchanges; the oldest exchanges lose theirs first.
pub const WRITTEN_KEPT_TOTAL_MAX: usize = 8 * 1024 * 1024;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Counts the requests from 1, in order of arrival.
    pub number: u64,
    /// When the head of the request had arrived.
    pub at: Instant,
    /// Counts the connections from 1.
    pub connection: u64,
    /// Counts the requests on that connection from 1.
    pub nth: u64,
    /// The method, such as `POST`.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// Lower-case names and values in order of arrival; keys are hidden.
    pub headers: Vec<(String, String)>,
    /// The body as it came; empty until it has arrived.
    pub body: Bytes,
    /// The body as JSON, where it is JSON.
    pub json: Option<Value>,
    /// The rule that answered: its name, else `rule 1`, `rule 2` …; `None` for the default.
    pub rule: Option<String>,
    /// The planned faults.
    pub faults: Vec<PlannedFault>,
    /// Bytes that the socket took, head and framing included.
    pub written: u64,
    /// Whole server-sent events that the socket took, `[DONE]` included, comments not.
    pub events: u64,
    /// The status that was really written; `None` while nothing was, and where no status line was.
    pub status: Option<u16>,
    /// The first [`WRITTEN_KEPT_MAX`] written bytes, as they went out.
    pub writes: Vec<Written>,
    /// How it ended; `None` while it goes on.
    pub end: Option<Ended>,
}

/// A fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFault {
    /// The id.
    pub id: &'static str,
    /// Whether it reached the wire. A fault without a place in the reply, or whose client left before, did not.
    pub fired: bool,
}

/// Bytes that went out at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// When the socket took them.
    pub at: Instant,
    /// What went out.
    pub bytes: Bytes,
}

/// The end of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// How.
    pub how: How,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The whole message went out.
    Completed,
    /// The plan (or stopping the mock) ended the connection within the message.
    Cut,
    /// The client closed the connection before.
    ClientHungUp,
}

impl Exchange {
    /// Says whether it asked for a chat completion.
    pub fn is_chat(&self) -> bool {
        crate::api::is_chat(&self.path)
    }

    /// Returns the kept part of what was written.
    pub fn written_bytes(&self) -> Vec<u8> {
        self.writes.iter().flat_map(|write| write.bytes.to_vec()).collect()
    }
}

/// All exchanges.
#[derive(Debug)]
pub(crate) struct Journal {
    clock: SharedClock,
    pub(crate) watch: Watch,
    stopping: AtomicBool,
    /// Bytes of the kept heads and bodies.
    arrived: AtomicUsize,
    /// Memory for the written bytes that are kept.
    written: AtomicUsize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    kept: VecDeque<Arc<Mutex<Entry>>>,
    /// So many of the oldest have no written bytes any more.
    bare: usize,
    /// The memory of the last that was bared, to be used again.
    spare: Vec<u8>,
}

/// The head of a request, as the journal wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) connection: u64,
    pub(crate) nth: u64,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a Headers,
}

impl<'a> Arrival<'a> {
    /// A connection that has got no further than the handshake of TLS.
    pub(crate) fn handshake(connection: u64, headers: &'a Headers) -> Self {
        Self { connection, nth: 0, method: "TLS", path: "handshake", headers }
    }
}

impl Journal {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            watch: Watch::new(Arc::clone(&clock)),
            clock,
            stopping: AtomicBool::new(false),
            arrived: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            entries: Mutex::default(),
        }
    }

    /// Opens an exchange.
    pub(crate) fn open(self: &Arc<Self>, arrival: Arrival<'_>) -> Recorder {
        let at = self.clock.now();
        let mut entries = lock(&self.entries);
        let mut entry = self.make_room(&mut entries);
        entries.last += 1;
        let number = entries.last;
        if Arc::get_mut(&mut entry).is_none() {
            // Its exchange goes on, unseen.
            entry = Arc::default();
        }
        {
            let mut entry = lock(&entry);
            entry.begin(number, at, arrival);
            entry.keep_in(mem::take(&mut entries.spare));
            // Each entry is added to and taken from the sums under its own lock, so that they are exact.
            self.arrived.fetch_add(entry.arrived(), Ordering::Relaxed);
            self.written.fetch_add(entry.memory(), Ordering::Relaxed);
        }
        entries.kept.push_back(Arc::clone(&entry));
        self.watch.opened();
        Recorder { number, entry, journal: Arc::clone(self) }
    }

    /// Forgets the oldest exchanges while there are too many, or too much is kept of them. Returns one to use
    /// again.
    fn make_room(&self, entries: &mut Entries) -> Arc<Mutex<Entry>> {
        while self.written.load(Ordering::Relaxed) > WRITTEN_KEPT_TOTAL_MAX / 2 {
            let Some(oldest) = entries.kept.get(entries.bare) else { break };
            entries.spare = self.forget_written(&mut lock(oldest));
            entries.bare += 1;
        }
        let mut last = None;
        while entries.kept.len() >= EXCHANGES_MAX || self.arrived.load(Ordering::Relaxed) > BODIES_KEPT_MAX {
            let Some(oldest) = entries.kept.pop_front() else { break };
            entries.bare = entries.bare.saturating_sub(1);
            self.forget(&mut lock(&oldest));
            last = Some(oldest);
        }
        last.unwrap_or_default()
    }

    fn forget(&self, entry: &mut Entry) {
        self.forget_written(entry);
        self.arrived.fetch_sub(entry.arrived(), Ordering::Relaxed);
        entry.forget();
    }

    fn forget_written(&self, entry: &mut Entry) -> Vec<u8> {
        self.written.fetch_sub(entry.memory(), Ordering::Relaxed);
        entry.forget_written()
    }

    /// Returns what is known now, in order of arrival.
    pub(crate) fn snapshot(&self) -> Vec<Exchange> {
        self.pick(|entry| Some(entry.shown()))
    }

    /// Looks at each exchange in order of arrival, and returns what is picked of them.
    ///
    /// Only one at a time is held, so that answers go on.
    pub(crate) fn pick<T>(&self, mut look: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let kept: Vec<_> = lock(&self.entries).kept.iter().map(Arc::clone).collect();
        kept.iter().filter_map(|entry| look(&lock(entry))).collect()
    }

    /// Returns how many are kept.
    pub(crate) fn kept(&self) -> usize {
        lock(&self.entries).kept.len()
    }

    /// Forgets everything; numbers begin at 1 again.
    pub(crate) fn clear(&self) {
        let forgotten = {
            let mut entries = lock(&self.entries);
            self.watch.forgotten();
            mem::take(&mut *entries)
        };
        forgotten.kept.iter().for_each(|entry| self.forget(&mut lock(entry)));
    }

    /// Says that open exchanges end because the mock stops, not because clients leave.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// Writes one exchange into the journal; an exchange that is dropped without an end was left by its client.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// The number of the exchange.
    pub(crate) number: u64,
    entry: Arc<Mutex<Entry>>,
    journal: Arc<Journal>,
}

impl Recorder {
    pub(crate) fn body(&self, body: Bytes) {
        let mut entry = lock(&self.entry);
        let before = entry.arrived();
        entry.body(body);
        self.journal.arrived.fetch_add(entry.arrived() - before, Ordering::Relaxed);
    }

    pub(crate) fn planned(&self, rule: Option<Arc<str>>, faults: &[Fault]) {
        let mut entry = lock(&self.entry);
        entry.planned(rule, faults);
        self.journal.watch.planned(&entry);
    }

    /// Says that a head with this status went out, where no status line tells it.
    pub(crate) fn began(&self, status: u16) {
        lock(&self.entry).status = Some(status);
    }

    pub(crate) fn wrote(&self, at: Instant, bytes: &[u8]) {
        let total = self.journal.written.load(Ordering::Relaxed);
        let mut entry = lock(&self.entry);
        let before = entry.memory();
        entry.wrote(at, bytes, WRITTEN_KEPT_TOTAL_MAX.saturating_sub(total));
        self.journal.written.fetch_add(entry.memory() - before, Ordering::Relaxed);
    }

    pub(crate) fn passed(&self, events: u64, marks: Marks) {
        lock(&self.entry).passed(events, marks);
    }

    /// Ends the exchange; only the first end counts.
    pub(crate) fn end(&self, how: How) {
        let at = self.journal.clock.now();
        let mut entry = lock(&self.entry);
        if entry.end.is_none() {
            entry.end = Some(Ended { at, how });
            self.journal.watch.ended(&entry);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if lock(&self.entry).end.is_none() {
            let stopping = self.journal.stopping.load(Ordering::Relaxed);
            self.end(if stopping { How::Cut } else { How::ClientHungUp });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(journal: &Arc<Journal>) -> Recorder {
        let (method, path, headers) = ("GET", "/models", &Headers::default());
        journal.open(Arrival { connection: 1, nth: 1, method, path, headers })
    }

    fn journal() -> Arc<Journal> {
        Arc::new(Journal::new(Arc::new(clock::ManualClock::new(clock::Timestamp::UNIX_EPOCH))))
    }

    #[test]
    fn kept_bytes_are_bounded_and_counts_are_exact() {
        let journal = journal();
        let recorder = recorder(&journal);

        for _ in 0..3 {
            recorder.wrote(Instant::ZERO, &vec![b'x'; 30_000]);
        }

        let exchange = &journal.snapshot()[0];
        assert_eq!((exchange.written, exchange.written_bytes().len()), (90_000, WRITTEN_KEPT_MAX));
    }

    #[test]
    fn written_bytes_are_bounded_over_all_exchanges_and_the_newest_keep_theirs() {
        let journal = journal();

        let bytes = vec![b'x'; WRITTEN_KEPT_MAX];
        for _ in 0..2 * WRITTEN_KEPT_TOTAL_MAX / WRITTEN_KEPT_MAX {
            recorder(&journal).wrote(Instant::ZERO, &bytes);
        }

        let kept: Vec<_> = journal.snapshot().iter().map(|exchange| exchange.written_bytes().len()).collect();
        assert!(kept.iter().sum::<usize>() <= WRITTEN_KEPT_TOTAL_MAX);
        assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&WRITTEN_KEPT_MAX)));
        assert!(journal.snapshot().iter().all(|exchange| exchange.written == WRITTEN_KEPT_MAX as u64));
    }

    #[test]
    fn the_oldest_exchange_goes_first() {
        let journal = journal();

        for _ in 0..=EXCHANGES_MAX {
            drop(recorder(&journal));
        }

        let kept = journal.snapshot();
        assert_eq!((kept.len(), kept[0].number), (EXCHANGES_MAX, 2));
    }

    #[test]
    fn an_exchange_that_nobody_ended_was_left_by_its_client_unless_the_mock_stops() {
        let journal = journal();

        drop(recorder(&journal));
        journal.stop();
        drop(recorder(&journal));

        let ends: Vec<_> = journal.snapshot().iter().map(|exchange| exchange.end.unwrap().how).collect();
        assert_eq!(ends, [How::ClientHungUp, How::Cut]);
    }

    #[test]
    fn what_comes_after_the_exchange_was_forgotten_is_not_counted() {
        let journal = journal();
        let sums = || [&journal.arrived, &journal.written].map(|sum| sum.load(Ordering::Relaxed));

        let (late, later) = (recorder(&journal), recorder(&journal));
        late.wrote(Instant::ZERO, b"some");
        journal.clear();
        assert_eq!(sums(), [0, 0]);
        for left in [late, later] {
            left.body(Bytes::from_static(&[b'x'; 10_000]));
            left.wrote(Instant::ZERO, &[b'x'; 10_000]);
        }

        assert_eq!(sums(), [0, 0]);
        assert!(journal.snapshot().is_empty());
    }
}
