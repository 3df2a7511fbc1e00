//! A connection between two parts of an experiment, and the weather on it.
//!
//! Whoever carries something over a line, a [`Proxy`] its bytes or the built-in store its calls, looks at the weather
//! and obeys. Clones share it.

mod proxy;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clock::{Activity, SharedClock};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::watch;

pub(crate) use proxy::End;
use proxy::Proxy;

/// The clock of an experiment, and where its traffic is counted.
pub(crate) type Means = (SharedClock, Activity);

/// What a scenario needs that is about several servers.
pub(crate) const REPLICAS: &str = "replicas";

/// What the target has a line to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Its database.
    Database,
    /// The model.
    Llm,
    /// What it tells other replicas with.
    Exchange,
    /// The Redis of a process; the built-in servers have an exchange in memory instead.
    Redis,
}

impl Link {
    /// Returns what a scenario needs to do something to it.
    pub const fn need(self) -> &'static str {
        match self {
            Self::Database => "database-link",
            Self::Llm => "llm-link",
            Self::Exchange => REPLICAS,
            Self::Redis => "redis-link",
        }
    }

    /// Returns its name as scenarios write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Llm => "llm",
            Self::Exchange => "exchange",
            Self::Redis => "redis",
        }
    }

    /// Returns its name in words.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Llm => "model",
            Self::Exchange => "other replica",
            Self::Redis => "Redis",
        }
    }
}

/// One of the servers that are one back end, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
#[schemars(with = "u8")]
pub struct Replica(u8);

impl Replica {
    /// All there may be.
    pub const ALL: [Self; 2] = [Self(1), Self(2)];

    /// Returns its place among them, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }

    /// Returns whether it is there where nothing is said of replicas.
    pub fn is_first(self) -> bool {
        self == Self::default()
    }
}

impl Default for Replica {
    fn default() -> Self {
        Self::ALL[0]
    }
}

impl TryFrom<u8> for Replica {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|replica| replica.0 == number);
        known.ok_or_else(|| format!("there is no replica {number}; write 1 or 2"))
    }
}

impl std::fmt::Display for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What a line is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Weather {
    /// All passes.
    #[default]
    Clear,
    /// What was connected is cut off, and nobody gets through.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
    /// All passes so much later.
    Delayed(Duration),
    /// Nothing can be written at the other end; only the built-in store knows how.
    Full,
}

/// A line. Clones share its weather.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    weather: watch::Sender<Weather>,
    /// How many connections went over it.
    connections: Arc<AtomicUsize>,
}

impl Default for Line {
    fn default() -> Self {
        Self { weather: watch::Sender::new(Weather::Clear), connections: Arc::default() }
    }
}

impl Line {
    /// Changes the weather.
    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Returns what tells the weather and its changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Weather> {
        self.weather.subscribe()
    }

    /// Counts a connection.
    fn carries(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }
}

/// The lines of a target, of each of its replicas, with the proxies that carry them.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    all: BTreeMap<(Link, Replica), Line>,
    /// Those that proxies carry.
    carried: BTreeSet<(Link, Replica)>,
    proxies: Vec<Proxy>,
}

impl Lines {
    /// Adds one that somebody else looks at.
    pub(crate) fn add(&mut self, (from, to): (Replica, Link), line: Line) {
        self.all.insert((to, from), line);
    }

    /// Adds one that goes through a proxy; returns where that listens.
    pub(crate) async fn carry(
        &mut self,
        which: Link,
        (at, to): (SocketAddr, End),
        means: Means,
    ) -> Result<SocketAddr, String> {
        let line = Line::default();
        let cannot =
            |error: io::Error| format!("the line to the {} cannot begin at `{at}`: {error}", which.word());
        let proxy = Proxy::start(at, to, line.clone(), means).await.map_err(cannot)?;
        let address = proxy.address();
        self.proxies.push(proxy);
        self.carried.insert((which, Replica::default()));
        self.add((Replica::default(), which), line);
        Ok(address)
    }

    /// Finds one.
    pub(crate) fn get(&self, (from, to): (Replica, Link)) -> Option<&Line> {
        self.all.get(&(to, from))
    }

    /// Says whether a line that goes through a proxy has never carried anything: then nothing can be done by it.
    pub(crate) fn is_unused(&self, (from, to): (Replica, Link)) -> bool {
        let connections = |line: &Line| line.connections.load(Ordering::Relaxed);
        self.carried.contains(&(to, from)) && self.get((from, to)).is_some_and(|line| connections(line) == 0)
    }

    /// Lets all pass on all of them.
    pub(crate) fn clear(&self) {
        self.all.values().for_each(|line| line.set(Weather::Clear));
    }
}
