//! The journal: every request, what was planned for it, what was really written, how it ended.
//!
//! Invariant: counts are exact; kept bytes and kept requests are bounded, the oldest going first.
//! Secrets are not kept: of a key only the last four characters remain.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use clock::{Instant, SharedClock};
use serde_json::Value;

use crate::{answer::Marks, fault::Fault, watch::Watch};

/// The most exchanges that are kept.
pub const EXCHANGES_MAX: usize = 10_000;
/// The most bytes of request bodies that are kept, over all exchanges.
pub const BODIES_KEPT_MAX: usize = 64 * 1024 * 1024;
/// The most written bytes that are kept of one exchange; counts go on beyond.
pub const WRITTEN_KEPT_MAX: usize = 64 * 1024;
/// Of a shorter key nothing is shown: four characters would tell too much.
const TELLTALE_KEY_MIN: usize = 12;

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
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    kept: VecDeque<Arc<Mutex<Exchange>>>,
}

/// The head of a request, as the journal wants it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) connection: u64,
    pub(crate) nth: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Journal {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            watch: Watch::new(Arc::clone(&clock)),
            clock,
            stopping: AtomicBool::new(false),
            bodies: AtomicUsize::new(0),
            entries: Mutex::default(),
        }
    }

    /// Opens an exchange.
    pub(crate) fn open(self: &Arc<Self>, arrival: Arrival) -> Recorder {
        let mut entries = lock(&self.entries);
        entries.last += 1;
        let exchange = Arc::new(Mutex::new(Exchange {
            number: entries.last,
            at: self.clock.now(),
            connection: arrival.connection,
            nth: arrival.nth,
            method: arrival.method,
            path: arrival.path,
            headers: arrival.headers.into_iter().map(hide_key).collect(),
            body: Bytes::new(),
            json: None,
            rule: None,
            faults: Vec::new(),
            written: 0,
            events: 0,
            writes: Vec::new(),
            end: None,
        }));
        self.make_room(&mut entries);
        entries.kept.push_back(Arc::clone(&exchange));
        self.watch.opened();
        Recorder { number: entries.last, exchange, journal: Arc::clone(self) }
    }

    /// Forgets the oldest exchanges while there are too many, or too much is kept of them.
    fn make_room(&self, entries: &mut Entries) {
        while entries.kept.len() >= EXCHANGES_MAX || self.bodies.load(Ordering::Relaxed) > BODIES_KEPT_MAX {
            let Some(oldest) = entries.kept.pop_front() else {
                // Bodies that came after their exchange was forgotten are still counted.
                return self.bodies.store(0, Ordering::Relaxed);
            };
            self.bodies.fetch_sub(lock(&oldest).body.len(), Ordering::Relaxed);
        }
    }

    /// Returns what is known now, in order of arrival.
    pub(crate) fn snapshot(&self) -> Vec<Exchange> {
        lock(&self.entries).kept.iter().map(|exchange| lock(exchange).clone()).collect()
    }

    /// Returns those that `wanted` accepts, in order of arrival.
    pub(crate) fn select(&self, mut wanted: impl FnMut(&Exchange) -> bool) -> Vec<Exchange> {
        let entries = lock(&self.entries);
        let held = entries.kept.iter().map(|exchange| lock(exchange)).filter(|exchange| wanted(exchange));
        held.map(|exchange| exchange.clone()).collect()
    }

    /// Returns how many are kept.
    pub(crate) fn kept(&self) -> usize {
        lock(&self.entries).kept.len()
    }

    /// Forgets everything; numbers begin at 1 again.
    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        *entries = Entries::default();
        self.bodies.store(0, Ordering::Relaxed);
        self.watch.forgotten();
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
    exchange: Arc<Mutex<Exchange>>,
    journal: Arc<Journal>,
}

impl Recorder {
    pub(crate) fn body(&self, body: Bytes) {
        self.journal.bodies.fetch_add(body.len(), Ordering::Relaxed);
        let mut exchange = lock(&self.exchange);
        exchange.json = serde_json::from_slice(&body).ok();
        exchange.body = body;
    }

    pub(crate) fn planned(&self, rule: Option<String>, faults: &[Fault]) {
        let mut exchange = lock(&self.exchange);
        exchange.rule = rule;
        exchange.faults = faults.iter().map(|fault| PlannedFault { id: fault.id(), fired: false }).collect();
        self.journal.watch.planned(&exchange);
    }

    pub(crate) fn wrote(&self, at: Instant, bytes: &[u8]) {
        let mut exchange = lock(&self.exchange);
        let kept = usize::try_from(exchange.written).unwrap_or(usize::MAX);
        exchange.written += bytes.len() as u64;
        let room = WRITTEN_KEPT_MAX.saturating_sub(kept).min(bytes.len());
        if room > 0 {
            exchange.writes.push(Written { at, bytes: Bytes::copy_from_slice(&bytes[..room]) });
        }
    }

    pub(crate) fn passed(&self, is_event: bool, marks: Marks) {
        if !is_event && marks.is_empty() {
            return;
        }
        let mut exchange = lock(&self.exchange);
        exchange.events += u64::from(is_event);
        let fired = exchange.faults.iter_mut().enumerate().filter(|(position, _)| marks.has(*position));
        fired.for_each(|(_, fault)| fault.fired = true);
    }

    /// Ends the exchange; only the first end counts.
    pub(crate) fn end(&self, how: How) {
        let at = self.journal.clock.now();
        let mut exchange = lock(&self.exchange);
        if exchange.end.is_none() {
            exchange.end = Some(Ended { at, how });
            self.journal.watch.ended(&exchange);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let stopping = self.journal.stopping.load(Ordering::Relaxed);
        self.end(if stopping { How::Cut } else { How::ClientHungUp });
    }
}

fn hide_key((name, value): (String, String)) -> (String, String) {
    if !matches!(name.as_str(), "authorization" | "x-api-key") {
        return (name, value);
    }
    let (scheme, key) = value.split_once(' ').map_or(("", value.as_str()), |(scheme, key)| (scheme, key));
    let length = key.chars().count();
    let shown = if length < TELLTALE_KEY_MIN { 0 } else { 4 };
    let tail: String = key.chars().skip(length - shown).collect();
    let hidden = format!("{scheme} ****{tail}");
    (name, hidden.trim_start().to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_four_characters_remain_at_most() {
        let hidden = |value: &str| hide_key(("authorization".into(), value.into())).1;

        assert_eq!(hidden("Bearer sk-secret-cd15"), "Bearer ****cd15");
        assert_eq!(hidden("Bearer sk-1"), "Bearer ****");
        assert_eq!(hidden("whatever-cd15"), "****cd15");
    }

    fn recorder(journal: &Arc<Journal>) -> Recorder {
        let (method, path) = ("GET".to_owned(), "/models".to_owned());
        journal.open(Arrival { connection: 1, nth: 1, method, path, headers: Vec::new() })
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
