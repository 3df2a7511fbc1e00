//! An exchange in a few lines, without its texts: for lists, the live journal and the log.

use std::time::Duration;

use clock::{Clock, Instant};
use serde::{Deserialize, Serialize};

use crate::journal::{Entry, How, PlannedFault};

/// What a list shows of an exchange.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    number: u64,
    /// Milliseconds on the mock's clock.
    at_ms: f64,
    /// The same as calendar time.
    time: String,
    connection: u64,
    nth: u64,
    method: &'a str,
    path: &'a str,
    model: Option<String>,
    rule: Option<&'a str>,
    faults: Vec<Fault>,
    status: Option<u16>,
    written: u64,
    events: u64,
    /// `null` while it goes on.
    end: Option<&'static str>,
    /// How long it took, in milliseconds.
    ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Fault {
    id: &'static str,
    fired: bool,
}

impl<'a> Summary<'a> {
    pub(crate) fn of(entry: &'a Entry, clock: &dyn Clock) -> Self {
        let began = clock.wall() - clock.now().since(entry.at);
        Self {
            number: entry.number,
            at_ms: millis(entry.at.since(Instant::ZERO)),
            time: format!("{began:.3}"),
            connection: entry.connection,
            nth: entry.nth,
            method: &entry.method,
            path: &entry.path,
            model: entry.model(),
            rule: entry.rule.as_deref(),
            faults: entry.faults.iter().map(|&PlannedFault { id, fired }| Fault { id, fired }).collect(),
            status: entry.status,
            written: entry.written,
            events: entry.events,
            end: entry.end.map(|end| end.how.as_str()),
            ms: entry.lasted().map(millis),
        }
    }

    /// Returns one line of JSON.
    pub(crate) fn json(&self) -> String {
        // A struct of numbers and texts always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Returns milliseconds, to the microsecond.
pub(crate) fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

/// Of a request, only the model.
#[derive(Deserialize)]
struct Asked {
    model: String,
}

impl Entry {
    /// Returns the model that was asked for, as the request names it.
    pub(crate) fn model(&self) -> Option<String> {
        serde_json::from_slice::<Asked>(self.body_bytes()).ok().map(|asked| asked.model)
    }

    /// Returns how long it took; `None` while it goes on.
    pub(crate) fn lasted(&self) -> Option<Duration> {
        self.end.map(|end| end.at.since(self.at))
    }
}

impl How {
    /// Returns the word for it in the journal, the log and the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cut => "cut",
            Self::ClientHungUp => "client-hung-up",
        }
    }
}
