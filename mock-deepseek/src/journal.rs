//! The journal: every request, what was planned for it, what was really written, how it ended.
//!
//! Invariant: counts are exact; kept bytes and kept requests are bounded, the oldest going first.
//! Secrets are not kept: of a key only the last four characters remain.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use clock::{Instant, SharedClock};
use serde_json::Value;

use crate::{answer::Marks, fault::Fault, headers::Headers, watch::Watch};

/// The most exchanges that are kept.
pub const EXCHANGES_MAX: usize = 10_000;
/// The most bytes of request bodies that are kept, over all exchanges.
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
    /// Bytes of the kept bodies.
    bodies: AtomicUsize,
    /// Written bytes that are kept.
    written: AtomicUsize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    kept: VecDeque<Arc<Mutex<Entry>>>,
    /// So many of the oldest have no written bytes any more.
    bare: usize,
}

/// An exchange as it is kept: as it came, to be made readable when somebody looks.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) arrival: Arrival,
    pub(crate) body: Bytes,
    pub(crate) rule: Option<String>,
    pub(crate) faults: Vec<PlannedFault>,
    pub(crate) written: u64,
    pub(crate) events: u64,
    pub(crate) status: Option<u16>,
    kept: Vec<u8>,
    /// When the kept bytes were written, and where each write ends in them.
    writes: Vec<(Instant, usize)>,
    pub(crate) end: Option<Ended>,
}

/// The head of a request, as the journal wants it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) connection: u64,
    pub(crate) nth: u64,
    pub(crate) method: Cow<'static, str>,
    pub(crate) path: Arc<str>,
    pub(crate) headers: Arc<Headers>,
}

impl Arrival {
    /// A connection that has got no further than the handshake of TLS.
    pub(crate) fn handshake(connection: u64) -> Self {
        let (method, path) = ("TLS".into(), "handshake".into());
        Self { connection, nth: 0, method, path, headers: Arc::default() }
    }
}

impl Journal {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            watch: Watch::new(Arc::clone(&clock)),
            clock,
            stopping: AtomicBool::new(false),
            bodies: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            entries: Mutex::default(),
        }
    }

    /// Opens an exchange.
    pub(crate) fn open(self: &Arc<Self>, arrival: Arrival) -> Recorder {
        let at = self.clock.now();
        let mut entries = lock(&self.entries);
        entries.last += 1;
        let number = entries.last;
        let entry = Arc::new(Mutex::new(Entry::new(number, at, arrival)));
        self.make_room(&mut entries);
        entries.kept.push_back(Arc::clone(&entry));
        self.watch.opened();
        Recorder { number, entry, journal: Arc::clone(self) }
    }

    /// Forgets the oldest exchanges while there are too many, or too much is kept of them.
    fn make_room(&self, entries: &mut Entries) {
        while self.written.load(Ordering::Relaxed) > WRITTEN_KEPT_TOTAL_MAX / 2 {
            let Some(oldest) = entries.kept.get(entries.bare) else { break };
            self.written.fetch_sub(lock(oldest).forget_written(), Ordering::Relaxed);
            entries.bare += 1;
        }
        while entries.kept.len() >= EXCHANGES_MAX || self.bodies.load(Ordering::Relaxed) > BODIES_KEPT_MAX {
            let Some(oldest) = entries.kept.pop_front() else {
                // Bodies that came after their exchange was forgotten are still counted.
                return self.bodies.store(0, Ordering::Relaxed);
            };
            entries.bare = entries.bare.saturating_sub(1);
            let mut oldest = lock(&oldest);
            self.bodies.fetch_sub(oldest.body.len(), Ordering::Relaxed);
            self.written.fetch_sub(oldest.forget_written(), Ordering::Relaxed);
        }
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
            std::mem::take(&mut *entries)
        };
        for entry in forgotten.kept {
            let freed = lock(&entry).forget_written();
            self.written.fetch_sub(freed, Ordering::Relaxed);
        }
        self.bodies.store(0, Ordering::Relaxed);
    }

    /// Says that open exchanges end because the mock stops, not because clients leave.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Entry {
    fn new(number: u64, at: Instant, arrival: Arrival) -> Self {
        Self {
            number,
            at,
            arrival,
            body: Bytes::new(),
            rule: None,
            faults: Vec::new(),
            written: 0,
            events: 0,
            status: None,
            kept: Vec::new(),
            writes: Vec::new(),
            end: None,
        }
    }

    /// Forgets the written bytes and returns how many were kept. None are kept from here on.
    fn forget_written(&mut self) -> usize {
        self.writes = Vec::new();
        std::mem::take(&mut self.kept).len()
    }

    /// Makes it readable.
    pub(crate) fn shown(&self) -> Exchange {
        let Arrival { connection, nth, method, path, headers } = &self.arrival;
        let kept = Bytes::copy_from_slice(&self.kept);
        let mut start = 0;
        let writes = self
            .writes
            .iter()
            .map(|&(at, end)| Written { at, bytes: kept.slice(std::mem::replace(&mut start, end)..end) });
        Exchange {
            number: self.number,
            at: self.at,
            connection: *connection,
            nth: *nth,
            method: method.clone().into_owned(),
            path: path.as_ref().to_owned(),
            headers: headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: self.body.clone(),
            json: serde_json::from_slice(&self.body).ok(),
            rule: self.rule.clone(),
            faults: self.faults.clone(),
            written: self.written,
            events: self.events,
            status: self.status,
            writes: writes.collect(),
            end: self.end,
        }
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
        self.journal.bodies.fetch_add(body.len(), Ordering::Relaxed);
        lock(&self.entry).body = body;
    }

    pub(crate) fn planned(&self, rule: Option<String>, faults: &[Fault]) {
        let mut entry = lock(&self.entry);
        entry.rule = rule;
        entry.faults = faults.iter().map(|fault| PlannedFault { id: fault.id(), fired: false }).collect();
        self.journal.watch.planned(&entry);
    }

    /// Says that a head with this status went out, where no status line tells it.
    pub(crate) fn began(&self, status: u16) {
        lock(&self.entry).status = Some(status);
    }

    pub(crate) fn wrote(&self, at: Instant, bytes: &[u8]) {
        let mut entry = lock(&self.entry);
        let before = usize::try_from(entry.written).unwrap_or(usize::MAX);
        entry.written += bytes.len() as u64;
        if before == 0 && entry.status.is_none() {
            entry.status = status(bytes);
        }
        // Kept is the beginning without a hole: what was not kept once ends it.
        if entry.kept.len() != before {
            return;
        }
        let total = self.journal.written.load(Ordering::Relaxed);
        let room = WRITTEN_KEPT_MAX.saturating_sub(before).min(WRITTEN_KEPT_TOTAL_MAX.saturating_sub(total));
        let kept = &bytes[..room.min(bytes.len())];
        if !kept.is_empty() {
            entry.kept.extend_from_slice(kept);
            let end = entry.kept.len();
            entry.writes.push((at, end));
            self.journal.written.fetch_add(kept.len(), Ordering::Relaxed);
        }
    }

    pub(crate) fn passed(&self, events: u64, marks: Marks) {
        let mut entry = lock(&self.entry);
        entry.events += events;
        if !marks.is_empty() {
            let fired = entry.faults.iter_mut().enumerate().filter(|(position, _)| marks.has(*position));
            fired.for_each(|(_, fault)| fault.fired = true);
        }
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

/// Reads the status from the beginning of a message of HTTP/1.
fn status(message: &[u8]) -> Option<u16> {
    let digits =
        message.strip_prefix(b"HTTP/1.1 ").or_else(|| message.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder(journal: &Arc<Journal>) -> Recorder {
        let (method, path) = ("GET".into(), "/models".into());
        journal.open(Arrival { connection: 1, nth: 1, method, path, headers: Arc::default() })
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
}
