//! How a mock is made: clock, seed, script, addresses, TLS, record and replay, bounds.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use clock::{Activity, Lab, SharedClock, SystemClock};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use super::MockDeepSeek;
use crate::{
    cache::PromptCache,
    control,
    files::Files,
    journal::Journal,
    limits::Limits,
    orders::Orders,
    profile::ApiProfile,
    record::{Deck, RecordError, Recording},
    reload::{self, ScriptFileError, Watched},
    replay::{Player, Replay},
    script::{Script, ScriptError},
    server,
    shared::{Date, Shared, Source},
    stage::Stage,
    tls::{self, Tls},
};

/// So many connections may wait to be accepted, if the system lets them.
const WAITING_MAX: u32 = 4096;

/// How a mock is made.
#[derive(Clone, Debug)]
pub struct Builder {
    clock: SharedClock,
    activity: Activity,
    seed: u64,
    profile: ApiProfile,
    script: Script,
    script_text: Option<String>,
    script_file: Option<PathBuf>,
    address: SocketAddr,
    tls: Option<Tls>,
    origin: Origin,
    control: Option<SocketAddr>,
    lab: Option<Lab>,
    limits: Limits,
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

impl Default for Builder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            activity: Activity::unwatched(),
            seed: 0,
            profile: ApiProfile::Current,
            script: Script::default(),
            script_text: Some(String::new()),
            script_file: None,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            origin: Origin::Script,
            control: None,
            lab: None,
            limits: Limits::default(),
        }
    }
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
        self.script_text = None;
        self
    }

    /// Sets the script by its text, which the control API then shows.
    pub fn script_text(mut self, text: &str) -> Result<Self, ScriptError> {
        self.script = Script::from_toml(text)?;
        self.script_text = Some(text.to_owned());
        Ok(self)
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

    /// Serves the control API on this address; port 0 takes a free one. Default: there is none.
    #[must_use]
    pub fn control(mut self, address: SocketAddr) -> Self {
        self.control = Some(address);
        self
    }

    /// Takes clock and activity from a laboratory, and lets the control API advance its time.
    #[must_use]
    pub fn lab(mut self, lab: &Lab) -> Self {
        self.clock = Arc::new(lab.clock().clone());
        self.activity = lab.activity().clone();
        self.lab = Some(lab.clone());
        self
    }

    /// Sets the longest request body in bytes. Default: [`BODY_MAX`](crate::BODY_MAX).
    #[must_use]
    pub fn body_max(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Sets the most connections at once. Default: [`CONNECTIONS_MAX`](crate::CONNECTIONS_MAX).
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.limits.connections = connections;
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
    #[expect(clippy::unused_async, reason = "it works only on a runtime, and whoever awaits it is on one")]
    pub async fn start(self) -> Result<MockDeepSeek, StartError> {
        let (listener, address) = bind(self.address)?;
        let control = self.control.map(bind).transpose()?;
        let (file, script, text) = match &self.script_file {
            Some(path) => {
                let (file, script) = Watched::open(path)?;
                let text = file.text().map(ToOwned::to_owned);
                (Some(file), script, text)
            }
            None => (None, self.script, self.script_text),
        };
        if let Some(fault) = tls::needed_by(&script.default.faults).filter(|_| self.tls.is_none()) {
            return Err(StartError::NeedsTls(fault));
        }
        let source = match self.origin {
            Origin::Script => Source::Script,
            Origin::Upstream(recording) => Source::Upstream(Box::new(Deck::open(recording)?)),
            Origin::Cassette(replay) => Source::Cassette(Player::new(replay)),
        };
        let shared = Arc::new(Shared {
            stage: Stage::new(script, text, self.seed, self.clock.now()),
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
            orders: Orders::default(),
            limits: self.limits,
            closing: CancellationToken::new(),
            control: control.as_ref().map(|(_, address)| *address),
        });
        let stopped = CancellationToken::new();
        let server = tokio::spawn(server::run(listener, Arc::clone(&shared), stopped.clone()));
        let control = control.map(|(listener, _)| {
            let control = control::Control::new(Arc::clone(&shared), address, self.lab);
            tokio::spawn(control::run(listener, control, stopped.clone()))
        });
        let watcher = file.map(|file| {
            shared.stage.watches(file.path().to_owned());
            tokio::spawn(reload::run(file, Arc::clone(&shared)))
        });
        Ok(MockDeepSeek { address, shared, server, watcher, stopped, control, expected: Mutex::default() })
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    listen(address).map_err(|source| StartError::at(address, source))
}

/// Listens with room for a crowd that comes at once: who finds none tries again only after a second.
fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere than on Unix this would let a second program take the same port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    let listener = socket.listen(WAITING_MAX)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
