//! An exchange as it is kept: as it came, to be made readable when somebody looks.
//!
//! A forgotten entry is used again, with its memory. A busy mock keeps thousands of them: giving that memory back
//! and asking for it anew would cost more than filling it, because none of it is in a cache any more.

use std::{mem, sync::Arc};

use bytes::Bytes;
use clock::Instant;

use super::{Arrival, Ended, Exchange, PlannedFault, WRITTEN_KEPT_MAX, Written};
use crate::{answer::Marks, fault::Fault, headers::Headers};

/// Longer bodies are shared with the connection that read them; shorter ones are copied, so that it can use its
/// buffer again.
const BODY_COPIED_MAX: usize = 4 * 1024;
/// An entry that is used again brings so much memory of each kind at most.
const MEMORY_KEPT_MAX: usize = 4 * 1024;

#[derive(Debug, Default)]
pub(super) struct Entry {
    number: u64,
    at: Instant,
    connection: u64,
    nth: u64,
    method: String,
    path: String,
    headers: Headers,
    /// The body, if it was copied.
    short: Vec<u8>,
    /// The body, if it is shared.
    long: Bytes,
    rule: Option<Arc<str>>,
    faults: Vec<PlannedFault>,
    written: u64,
    events: u64,
    kept: Vec<u8>,
    /// When the kept bytes were written, and where each write ends in them.
    writes: Vec<(Instant, usize)>,
    end: Option<Ended>,
}

impl Entry {
    /// Begins another exchange in the memory of the last.
    pub(super) fn begin(&mut self, number: u64, at: Instant, arrival: Arrival<'_>) {
        let Self { mut method, mut path, mut headers, mut short, mut faults, mut writes, .. } =
            mem::take(self);
        arrival.method.clone_into(&mut method);
        arrival.path.clone_into(&mut path);
        path.shrink_to(MEMORY_KEPT_MAX);
        headers.copy(arrival.headers, MEMORY_KEPT_MAX);
        short.clear();
        faults.clear();
        writes.clear();
        writes.shrink_to(MEMORY_KEPT_MAX / size_of::<(Instant, usize)>());
        let Arrival { connection, nth, .. } = arrival;
        *self = Self {
            number,
            at,
            connection,
            nth,
            method,
            path,
            headers,
            short,
            faults,
            writes,
            ..Self::default()
        };
    }

    /// Keeps what will be written in this memory, unless it is much.
    pub(super) fn keep_in(&mut self, mut memory: Vec<u8>) {
        memory.clear();
        memory.shrink_to(MEMORY_KEPT_MAX);
        self.kept = memory;
    }

    pub(super) fn body(&mut self, body: Bytes) {
        if body.len() <= BODY_COPIED_MAX {
            self.short.extend_from_slice(&body);
        } else {
            self.long = body;
        }
    }

    pub(super) fn planned(&mut self, rule: Option<Arc<str>>, faults: &[Fault]) {
        self.rule = rule;
        self.faults.extend(faults.iter().map(|fault| PlannedFault { id: fault.id(), fired: false }));
    }

    /// Counts what was written, and keeps up to `room` bytes of it.
    pub(super) fn wrote(&mut self, at: Instant, bytes: &[u8], room: usize) {
        let before = usize::try_from(self.written).unwrap_or(usize::MAX);
        self.written += bytes.len() as u64;
        // Kept is the beginning without a hole: what was not kept once ends it.
        if self.kept.len() != before {
            return;
        }
        let room = WRITTEN_KEPT_MAX.saturating_sub(before).min(room);
        let kept = &bytes[..room.min(bytes.len())];
        if !kept.is_empty() {
            self.kept.extend_from_slice(kept);
            self.writes.push((at, self.kept.len()));
        }
    }

    pub(super) fn passed(&mut self, events: u64, marks: Marks) {
        self.events += events;
        if !marks.is_empty() {
            let fired = self.faults.iter_mut().enumerate().filter(|(position, _)| marks.has(*position));
            fired.for_each(|(_, fault)| fault.fired = true);
        }
    }

    /// Ends it; only the first end counts.
    pub(super) fn end(&mut self, end: Ended) {
        self.end.get_or_insert(end);
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Returns how many bytes of the request are kept.
    pub(super) fn arrived(&self) -> usize {
        self.path.len() + self.headers.len() + self.short.len() + self.long.len()
    }

    /// Returns how much memory there is for written bytes.
    pub(super) fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Forgets the written bytes and gives their memory away. None are kept from here on.
    pub(super) fn forget_written(&mut self) -> Vec<u8> {
        self.writes.clear();
        mem::take(&mut self.kept)
    }

    /// Makes it readable.
    pub(super) fn shown(&self) -> Exchange {
        let kept = Bytes::copy_from_slice(&self.kept);
        let mut start = 0;
        let written = |&(at, end): &(Instant, usize)| Written {
            at,
            bytes: kept.slice(mem::replace(&mut start, end)..end),
        };
        let body = if self.long.is_empty() { Bytes::copy_from_slice(&self.short) } else { self.long.clone() };
        Exchange {
            number: self.number,
            at: self.at,
            connection: self.connection,
            nth: self.nth,
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            json: serde_json::from_slice(&body).ok(),
            body,
            rule: self.rule.as_deref().map(ToOwned::to_owned),
            faults: self.faults.clone(),
            written: self.written,
            events: self.events,
            writes: self.writes.iter().map(written).collect(),
            end: self.end,
        }
    }
}
