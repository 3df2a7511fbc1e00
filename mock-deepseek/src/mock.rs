//! The mock as a library: build, start, program, ask, stop.
//!
//! Invariant: a mock that is dropped leaves no task and no socket behind, and says loudly when its
//! expectations were not met.

use std::{
    fmt::Write as _,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use clock::{Activity, SharedClock, SystemClock};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    cache::PromptCache,
    catalogue::Carrier,
    fault::Fault,
    files::Files,
    journal::{Exchange, Journal},
    profile::ApiProfile,
    record::{Deck, RecordError, Recorded, Recording},
    reload::{self, ScriptFileError, Watched},
    replay::{Player, Replay},
    script::Script,
    server,
    shared::{Date, Shared, Source},
    stage::{ScriptStatus, Stage},
    tls::Tls,
};

/// A running DeepSeek that does what it is told.
///
/// It runs on the runtime on which it was started. Dropping it stops it and checks its
/// [expectations](Self::expect).
#[derive(Debug)]
pub struct MockDeepSeek {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// Watches the script file.
    watcher: Option<JoinHandle<()>>,
    stopped: CancellationToken,
    expected: Mutex<Option<usize>>,
}

/// How a mock is made.
#[derive(Clone, Debug)]
pub struct Builder {
    clock: SharedClock,
    activity: Activity,
    seed: u64,
    profile: ApiProfile,
    script: Script,
    script_file: Option<PathBuf>,
    address: SocketAddr,
    tls: Option<Tls>,
    origin: Origin,
}

/// Where answers are to come from.
#[derive(Clone, Debug)]
enum Origin {
    Script,
    Upstream(Recording),
    Cassette(Replay),
}

/// The mock could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("address `{0}` is taken; stop what listens there, or choose port 0 for a free one")]
    Taken(SocketAddr),
    /// The address cannot be used.
    #[error("mock cannot listen on `{address}`: {source}; choose an address of this machine")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The script file cannot be used.
    #[error(transparent)]
    Script(#[from] ScriptFileError),
    /// A default fault could never happen.
    #[error("fault `{0}` needs TLS; serve under TLS, or leave the fault out")]
    NeedsTls(&'static str),
    /// Recording cannot begin.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl StartError {
    /// Says what went wrong at this address.
    pub(crate) fn at(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::Taken(address),
            _ => Self::Listen { address, source },
        }
    }
}

/// The requests that arrived are not those that were expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mock expected {expected} chat requests and got {}{}", .got.len(), list(.got))]
pub struct Unmet {
    /// How many were expected.
    pub expected: usize,
    /// A line for each that arrived.
    pub got: Vec<String>,
}

fn list(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = write!(text, "\n  {line}");
        text
    })
}

impl Builder {
    /// Sets the clock for every pause and time stamp. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets where the traffic of accepted sockets is counted. Default: nowhere.
    #[must_use]
    pub fn activity(mut self, activity: Activity) -> Self {
        self.activity = activity;
        self
    }

    /// Sets the seed of ids and of the mock's own texts. Default: 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the state of the API: models, limits, wordings. Default: as it is now.
    #[must_use]
    pub fn api(mut self, profile: ApiProfile) -> Self {
        self.profile = profile;
        self
    }

    /// Sets the script. Default: an empty one, which answers everything soundly and at once.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Plays the script in this file, and each later version of it that is valid; see
    /// [`MockDeepSeek::script_status`]. It takes the place of [`script`](Self::script). Default: no file.
    #[must_use]
    pub fn script_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.script_file = Some(path.into());
        self
    }

    /// Records what a real upstream answers, into this file. Takes the place of [`replay`](Self::replay).
    ///
    /// The script is not asked. Secrets and personal data are removed from the file, not from what the client
    /// gets. For more settings see [`recording`](Self::recording).
    #[must_use]
    pub fn record(self, upstream: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.recording(Recording::new(upstream, path))
    }

    /// Records as these settings say; see [`record`](Self::record).
    #[must_use]
    pub fn recording(mut self, recording: Recording) -> Self {
        self.origin = Origin::Upstream(recording);
        self
    }

    /// Answers from a cassette, and with an error what is not in it. Takes the place of
    /// [`record`](Self::record). Of the script only the faults are used.
    #[must_use]
    pub fn replay(mut self, replay: impl Into<Replay>) -> Self {
        self.origin = Origin::Cassette(replay.into());
        self
    }

    /// Sets where to listen. Default: a free port of 127.0.0.1.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Serves under TLS, with HTTP/2 for clients that ask for it. Default: plain HTTP/1.1, and HTTP/2 for clients
    /// that begin with it.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Binds the address and serves on the current runtime.
    pub async fn start(self) -> Result<MockDeepSeek, StartError> {
        let address = self.address;
        let failed = |source| StartError::at(address, source);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (file, script) = match &self.script_file {
            Some(path) => Watched::open(path).map(|(file, script)| (Some(file), script))?,
            None => (None, self.script),
        };
        refuse_what_needs_tls(&script, self.tls.as_ref())?;
        let source = match self.origin {
            Origin::Script => Source::Script,
            Origin::Upstream(recording) => Source::Upstream(Box::new(Deck::open(recording)?)),
            Origin::Cassette(replay) => Source::Cassette(Player::new(replay)),
        };
        let shared = Arc::new(Shared {
            stage: Stage::new(script, self.seed, self.clock.now()),
            journal: Arc::new(Journal::new(Arc::clone(&self.clock))),
            clock: self.clock,
            activity: self.activity,
            seed: self.seed,
            date: Date::default(),
            profile: self.profile,
            cache: PromptCache::default(),
            files: Files::default(),
            tls: self.tls,
            source,
        });
        let stopped = CancellationToken::new();
        let server = tokio::spawn(server::run(listener, Arc::clone(&shared), stopped.clone()));
        let watcher = file.map(|file| {
            shared.stage.watches(file.path().to_owned());
            tokio::spawn(reload::run(file, Arc::clone(&shared)))
        });
        Ok(MockDeepSeek { address, shared, server, watcher, stopped, expected: Mutex::new(None) })
    }
}

/// A fault of TLS that cannot happen would leave its user waiting for it.
fn refuse_what_needs_tls(script: &Script, tls: Option<&Tls>) -> Result<(), StartError> {
    let needs = |fault: &&Fault| fault.info().carrier == Carrier::Tls;
    match script.default.faults.iter().find(needs).filter(|_| tls.is_none()) {
        Some(fault) => Err(StartError::NeedsTls(fault.id())),
        None => Ok(()),
    }
}

impl MockDeepSeek {
    /// Begins to make a mock.
    pub fn builder() -> Builder {
        Builder {
            clock: Arc::new(SystemClock::new()),
            activity: Activity::unwatched(),
            seed: 0,
            profile: ApiProfile::Current,
            script: Script::default(),
            script_file: None,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            origin: Origin::Script,
        }
    }

    /// Starts a mock with all defaults on a free port.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns the base URL for clients, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces the script for requests to come; the counters of rules and the balance begin anew. A
    /// watched file replaces it again when it changes.
    pub fn set_script(&self, script: Script) {
        self.shared.stage.play(script, self.shared.clock.now());
    }

    /// Tells which script is played, and why not the newest version of the watched file.
    pub fn script_status(&self) -> ScriptStatus {
        self.shared.stage.status()
    }

    /// Returns all exchanges in order of arrival, as far as they have got.
    pub fn journal(&self) -> Vec<Exchange> {
        self.shared.journal.snapshot()
    }

    /// Forgets the journal, the prompt cache and the uploaded files, sets the counters of the rules and of a replay
    /// to zero and the balance to its start. Answers under way go on.
    pub fn reset(&self) {
        self.shared.journal.clear();
        self.shared.stage.selector().reset();
        self.shared.cache.clear();
        self.shared.files.clear();
        if let Source::Cassette(player) = &self.shared.source {
            player.reset();
        }
    }

    /// Tells what has been recorded; `None` unless the mock [records](Builder::record).
    pub fn recorded(&self) -> Option<Recorded> {
        match &self.shared.source {
            Source::Upstream(deck) => Some(deck.recorded()),
            _ => None,
        }
    }

    /// Expects so many chat requests by the time the mock is dropped.
    pub fn expect(&self, requests: usize) {
        *self.expected() = Some(requests);
    }

    /// Checks the expectation now.
    pub fn verify(&self) -> Result<(), Unmet> {
        let Some(expected) = *self.expected() else { return Ok(()) };
        let got: Vec<_> = self.journal().iter().filter(|exchange| exchange.is_chat()).map(line).collect();
        if got.len() == expected { Ok(()) } else { Err(Unmet { expected, got }) }
    }

    /// Closes the listener and all connections; expectations are checked as on dropping.
    pub async fn stop(mut self) {
        self.shared.journal.stop();
        self.stopped.cancel();
        self.forget_file();
        if let Err(error) = (&mut self.server).await {
            tracing::warn!(%error, "mock did not stop cleanly");
        }
    }

    fn forget_file(&self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }

    fn expected(&self) -> std::sync::MutexGuard<'_, Option<usize>> {
        self.expected.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn line(exchange: &Exchange) -> String {
    let Exchange { number, at, method, path, json, .. } = exchange;
    let model = json.as_ref().and_then(|json| json["model"].as_str()).unwrap_or("?");
    format!("request {number} at {at}: {method} {path}, model `{model}`")
}

impl Drop for MockDeepSeek {
    /// # Panics
    ///
    /// When an [expectation](Self::expect) was not met, unless the thread panics already.
    fn drop(&mut self) {
        self.shared.journal.stop();
        self.server.abort();
        self.forget_file();
        match self.verify() {
            Err(unmet) if !std::thread::panicking() => panic!("{unmet}"),
            _ => {}
        }
    }
}
