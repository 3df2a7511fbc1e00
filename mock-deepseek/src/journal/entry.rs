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

/// What is still kept of an exchange that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Keeping {
    #[default]
    All,
    /// What is written is counted only.
    Request,
    /// It was forgotten: nobody will look any more.
    Nothing,
}

/// An exchange.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at: Instant,
    pub(crate) connection: u64,
    pub(crate) nth: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Headers,
    /// The body, if it was copied.
    short: Vec<u8>,
    /// The body, if it is shared.
    long: Bytes,
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) faults: Vec<PlannedFault>,
    pub(crate) written: u64,
    pub(crate) events: u64,
    pub(crate) status: Option<u16>,
    keeping: Keeping,
    kept: Vec<u8>,
    /// When the kept bytes were written, and where each write ends in them.
    writes: Vec<(Instant, usize)>,
    pub(crate) end: Option<Ended>,
}

impl Entry {
    /// Begins another exchange in the memory of the last.
    pub(super) fn begin(&mut self, number: u64, at: Instant, arrival: Arrival<'_>) {
        let Self { mut method, mut path, mut headers, mut short, mut faults, mut writes, .. } =
            mem::take(self);
        arrival.method.clone_into(&mut method);
        method.shrink_to(MEMORY_KEPT_MAX);
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
        if self.keeping == Keeping::Nothing {
            return;
        }
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
        if before == 0 && self.status.is_none() {
            self.status = status(bytes);
        }
        // Kept is the beginning without a hole: what was not kept once ends it.
        if self.keeping != Keeping::All || self.kept.len() != before {
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

    /// Returns how many bytes of the request are kept.
    pub(super) fn arrived(&self) -> usize {
        self.method.len() + self.path.len() + self.headers.len() + self.short.len() + self.long.len()
    }

    /// Returns how much memory there is for written bytes.
    pub(super) fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Forgets the written bytes and gives their memory away. None are kept from here on.
    pub(super) fn forget_written(&mut self) -> Vec<u8> {
        self.keeping = self.keeping.max(Keeping::Request);
        self.writes.clear();
        mem::take(&mut self.kept)
    }

    /// Takes note that nobody will look any more.
    pub(super) fn forget(&mut self) {
        self.keeping = Keeping::Nothing;
    }

    /// Goes through the headers of the request.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter()
    }

    /// Returns the body as it came.
    pub(crate) fn body_bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short } else { &self.long }
    }

    /// Makes it readable.
    pub(crate) fn shown(&self) -> Exchange {
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
            status: self.status,
            writes: self.writes.iter().map(written).collect(),
            end: self.end,
        }
    }
}

/// Reads the status from the beginning of a message of HTTP/1.
fn status(message: &[u8]) -> Option<u16> {
    let digits =
        message.strip_prefix(b"HTTP/1.1 ").or_else(|| message.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
