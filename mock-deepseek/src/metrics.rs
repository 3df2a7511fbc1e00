//! What is counted, and how it reads as Prometheus text.
//!
//! Invariant: counting is a relaxed addition on a number that exists since the start. What an exchange wrote is
//! counted once, when it ends.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    api::Route,
    catalogue::catalogue,
    journal::{Entry, How},
    page,
};

/// A number that is counted: what `GET /__mock/metrics` shows and `docs/MOCK.md` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// `counter` only goes up; `gauge` goes both ways.
    pub kind: &'static str,
    /// The labels, separated by commas; empty for none.
    pub labels: &'static str,
    /// What it counts.
    pub about: &'static str,
    source: Source,
}

/// Where the samples of a metric are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Requests,
    Ended,
    Planned,
    Fired,
    Written,
    Events,
    Connections,
    ConnectionsOpen,
    ExchangesOpen,
    Refused,
    Journal,
    Scripts,
    Readers,
}

const fn counter(source: Source, name: &'static str, labels: &'static str, about: &'static str) -> Metric {
    Metric { name, kind: "counter", labels, about, source }
}

const fn gauge(source: Source, name: &'static str, about: &'static str) -> Metric {
    Metric { name, kind: "gauge", labels: "", about, source }
}

/// All that is counted, in the order in which it is shown.
pub const METRICS: [Metric; 13] = {
    use Source as S;
    [
        counter(
            S::Requests,
            "mock_requests_total",
            "route, class",
            "Answers that ended, by route and class of the status",
        ),
        counter(S::Ended, "mock_exchanges_ended_total", "end", "Answers that ended, by how they did"),
        counter(S::Planned, "mock_faults_planned_total", "fault", "Faults that were planned"),
        counter(S::Fired, "mock_faults_fired_total", "fault", "Faults that reached the wire"),
        counter(S::Written, "mock_written_bytes_total", "", "Bytes that sockets took, of answers that ended"),
        counter(
            S::Events,
            "mock_events_total",
            "",
            "Server-sent events that sockets took, of answers that ended",
        ),
        counter(S::Connections, "mock_connections_total", "", "Connections that were accepted"),
        gauge(S::ConnectionsOpen, "mock_connections_open", "Connections that are open"),
        gauge(S::ExchangesOpen, "mock_exchanges_open", "Requests whose answer goes on"),
        counter(
            S::Refused,
            "mock_refused_total",
            "reason",
            "What was refused because of a limit, or because it cannot be read",
        ),
        gauge(S::Journal, "mock_journal_exchanges", "Exchanges in the journal"),
        counter(
            S::Scripts,
            "mock_script_loads_total",
            "outcome",
            "Scripts that were loaded as text while it ran",
        ),
        gauge(S::Readers, "mock_live_readers", "Readers of the live journal"),
    ]
};

/// What a request asked for, as far as requests are counted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Chat,
    Completions,
    Models,
    Balance,
    Anthropic,
    Responses,
    Files,
    Page,
    Other,
}

/// How targets are called in the label `route`, in their order.
const ROUTES: [&str; 9] =
    ["chat", "completions", "models", "balance", "anthropic", "responses", "files", "page", "other"];
/// The classes of a status; the last is an answer without a status line.
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"];

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A request body over the limit.
    Body,
    /// A request head over the limit.
    Head,
    /// What is no HTTP.
    Malformed,
    /// A connection that did not get through the handshake of TLS.
    Handshake,
    /// A request to the control API from a page of somebody else.
    Origin,
    /// A reader of the live journal beyond the limit.
    Reader,
    /// A reader of the live journal that was too slow.
    SlowReader,
}

impl Refused {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Body, "body"),
        (Self::Head, "head"),
        (Self::Malformed, "malformed"),
        (Self::Handshake, "handshake"),
        (Self::Origin, "origin"),
        (Self::Reader, "reader"),
        (Self::SlowReader, "slow-reader"),
    ];
}

/// The counts of one mock.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: [[AtomicU64; CLASSES.len()]; ROUTES.len()],
    ended: [AtomicU64; 3],
    faults: BTreeMap<&'static str, Faults>,
    written: AtomicU64,
    events: AtomicU64,
    connections: AtomicU64,
    connections_closed: AtomicU64,
    exchanges: AtomicU64,
    refused: [AtomicU64; Refused::ALL.len()],
    scripts: [AtomicU64; 2],
}

#[derive(Debug, Default)]
struct Faults {
    planned: AtomicU64,
    fired: AtomicU64,
}

/// Counts a connection as open until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection<'a>(&'a Metrics);

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        add(&self.0.connections_closed, 1);
    }
}

/// What is known only elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    pub(crate) journal: usize,
    pub(crate) readers: usize,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            requests: Default::default(),
            ended: Default::default(),
            faults: catalogue().iter().map(|info| (info.id, Faults::default())).collect(),
            written: AtomicU64::default(),
            events: AtomicU64::default(),
            connections: AtomicU64::default(),
            connections_closed: AtomicU64::default(),
            exchanges: AtomicU64::default(),
            refused: Default::default(),
            scripts: Default::default(),
        }
    }

    pub(crate) fn connection(&self) -> OpenConnection<'_> {
        add(&self.connections, 1);
        OpenConnection(self)
    }

    pub(crate) fn opened(&self) {
        add(&self.exchanges, 1);
    }

    /// Counts an exchange that has ended.
    pub(crate) fn ended(&self, entry: &Entry) {
        let class = entry.status.map_or(CLASSES.len(), |status| usize::from(status / 100));
        // Classes begin with 1xx.
        let class = class.clamp(1, CLASSES.len()) - 1;
        add(&self.requests[Target::of(&entry.path) as usize][class], 1);
        if let Some(end) = entry.end {
            add(&self.ended[end.how as usize], 1);
        }
        add(&self.written, entry.written);
        add(&self.events, entry.events);
        for fault in &entry.faults {
            if let Some(counts) = self.faults.get(fault.id) {
                add(&counts.planned, 1);
                add(&counts.fired, u64::from(fault.fired));
            }
        }
    }

    pub(crate) fn refused(&self, reason: Refused) {
        add(&self.refused[reason as usize], 1);
    }

    pub(crate) fn script_loaded(&self, accepted: bool) {
        add(&self.scripts[usize::from(accepted)], 1);
    }

    pub(crate) fn connections_open(&self) -> u64 {
        get(&self.connections).saturating_sub(get(&self.connections_closed))
    }

    pub(crate) fn exchanges_total(&self) -> u64 {
        get(&self.exchanges)
    }

    pub(crate) fn exchanges_open(&self) -> u64 {
        get(&self.exchanges).saturating_sub(self.ended.iter().map(get).sum())
    }

    /// Writes everything in the text format of Prometheus.
    pub(crate) fn render(&self, surroundings: Surroundings) -> String {
        METRICS.iter().fold(String::new(), |mut text, metric| {
            let Metric { name, kind, about, .. } = metric;
            _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} {kind}");
            self.samples(metric.source, surroundings, &mut |labels, value| {
                _ = writeln!(text, "{name}{labels} {value}");
            });
            text
        })
    }

    fn samples(&self, source: Source, surroundings: Surroundings, put: &mut dyn FnMut(String, u64)) {
        let value = match source {
            Source::Requests => return self.requests(put),
            Source::Ended => {
                return hows()
                    .for_each(|how| put(label("end", how.as_str()), get(&self.ended[how as usize])));
            }
            Source::Planned => return self.faults(|counts| &counts.planned, put),
            Source::Fired => return self.faults(|counts| &counts.fired, put),
            Source::Refused => {
                return Refused::ALL.iter().for_each(|&(reason, word)| {
                    put(label("reason", word), get(&self.refused[reason as usize]));
                });
            }
            Source::Scripts => {
                put(label("outcome", "refused"), get(&self.scripts[0]));
                return put(label("outcome", "accepted"), get(&self.scripts[1]));
            }
            Source::Written => get(&self.written),
            Source::Events => get(&self.events),
            Source::Connections => get(&self.connections),
            Source::ConnectionsOpen => self.connections_open(),
            Source::ExchangesOpen => self.exchanges_open(),
            Source::Journal => surroundings.journal as u64,
            Source::Readers => surroundings.readers as u64,
        };
        put(String::new(), value);
    }

    fn faults(&self, count: impl Fn(&Faults) -> &AtomicU64, put: &mut dyn FnMut(String, u64)) {
        for (id, counts) in &self.faults {
            put(label("fault", id), get(count(counts)));
        }
    }

    fn requests(&self, put: &mut dyn FnMut(String, u64)) {
        for (route, counts) in ROUTES.iter().zip(&self.requests) {
            for (class, count) in CLASSES.iter().zip(counts) {
                put(format!("{{route=\"{route}\",class=\"{class}\"}}"), get(count));
            }
        }
    }
}

fn hows() -> impl Iterator<Item = How> {
    [How::Completed, How::Cut, How::ClientHungUp].into_iter()
}

fn label(name: &str, value: impl Display) -> String {
    format!("{{{name}=\"{value}\"}}")
}

impl Target {
    fn of(path: &str) -> Self {
        match Route::of(path) {
            Some(Route::Chat) => Self::Chat,
            Some(Route::Completion) => Self::Completions,
            Some(Route::Models) => Self::Models,
            Some(Route::Balance) => Self::Balance,
            Some(Route::Messages) => Self::Anthropic,
            Some(Route::Responses) => Self::Responses,
            Some(Route::Files | Route::File) => Self::Files,
            None if page::is_at(path) => Self::Page,
            None => Self::Other,
        }
    }
}

fn add(count: &AtomicU64, by: u64) {
    count.fetch_add(by, Ordering::Relaxed);
}

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> String {
        Metrics::new().render(Surroundings { journal: 3, readers: 1 })
    }

    #[test]
    fn every_metric_has_a_sample_and_every_sample_is_listed_m16() {
        let text = shown();

        for metric in METRICS {
            let sample =
                |line: &str| line.strip_prefix(metric.name).is_some_and(|rest| rest.starts_with(['{', ' ']));
            assert!(text.lines().any(sample), "{} has no sample", metric.name);
        }
        let names =
            text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(['{', ' ']).next());
        for name in names {
            assert!(METRICS.iter().any(|metric| Some(metric.name) == name), "{name:?} is not listed");
        }
    }

    #[test]
    fn the_table_in_the_document_is_the_list_m16() {
        let document = include_str!("../../docs/MOCK.md");
        let rows = METRICS.map(|Metric { name, kind, labels, about, .. }| {
            format!("| `{name}` | {kind} | {labels} | {about} |")
        });

        let shown: Vec<_> = document.lines().filter(|line| line.starts_with("| `mock_")).collect();

        assert_eq!(shown, rows, "write the rows on the right into docs/MOCK.md");
    }

    #[test]
    fn paths_are_counted_by_route_with_and_without_version_m16() {
        let name = |path| ROUTES[Target::of(path) as usize];

        assert_eq!(name("/v1/chat/completions?x=1"), "chat");
        assert_eq!(name("/beta/completions"), "completions");
        assert_eq!(name("/anthropic/v1/messages"), "anthropic");
        assert_eq!(name("/v1/files/file-1"), "files");
        assert_eq!(name("/?from=mail"), "page");
        assert_eq!(name("/nonsense"), "other");
    }

    #[test]
    fn a_connection_counts_until_it_is_dropped_m16() {
        let metrics = Metrics::new();

        let open = metrics.connection();
        assert_eq!(metrics.connections_open(), 1);
        drop(open);

        assert_eq!(metrics.connections_open(), 0);
    }
}
