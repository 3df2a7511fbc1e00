//! An exchange in a few lines, without its texts: for lists, the live journal and the log.

use std::time::Duration;

use clock::{Clock, Instant};
use serde::{Deserialize, Serialize};

use crate::journal::{Exchange, How, PlannedFault};

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
    pub(crate) fn of(exchange: &'a Exchange, clock: &dyn Clock) -> Self {
        let began = clock.wall() - clock.now().since(exchange.at);
        Self {
            number: exchange.number,
            at_ms: millis(exchange.at.since(Instant::ZERO)),
            time: format!("{began:.3}"),
            connection: exchange.connection,
            nth: exchange.nth,
            method: &exchange.method,
            path: &exchange.path,
            model: exchange.model(),
            rule: exchange.rule.as_deref(),
            faults: exchange.faults.iter().map(|&PlannedFault { id, fired }| Fault { id, fired }).collect(),
            status: exchange.status(),
            written: exchange.written,
            events: exchange.events,
            end: exchange.end.map(|end| end.how.as_str()),
            ms: exchange.lasted().map(millis),
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

impl Exchange {
    /// Returns the model that was asked for, as the request names it.
    pub fn model(&self) -> Option<String> {
        serde_json::from_slice::<Asked>(&self.body).ok().map(|asked| asked.model)
    }

    /// Returns the status that was really written; `None` while nothing was, and where no status line was.
    pub fn status(&self) -> Option<u16> {
        let first = &self.writes.first()?.bytes;
        let digits =
            first.strip_prefix(b"HTTP/1.1 ").or_else(|| first.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Returns how long it took; `None` while it goes on.
    pub fn lasted(&self) -> Option<Duration> {
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
