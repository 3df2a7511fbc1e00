//! How a mock is made: what it plays, on which clock, where it listens, and within which bounds.
//!
//! Invariant: what cannot be listened on is refused before anything is served.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
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
    script::{Script, ScriptError},
    select::Selector,
    server,
    shared::Shared,
    tls::Tls,
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
    address: SocketAddr,
    tls: Option<Tls>,
    control: Option<SocketAddr>,
    lab: Option<Lab>,
    limits: Limits,
    script_text: Option<String>,
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
    pub(super) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            activity: Activity::unwatched(),
            seed: 0,
            profile: ApiProfile::Current,
            script: Script::default(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: None,
            control: None,
            lab: None,
            limits: Limits::default(),
            script_text: Some(String::new()),
        }
    }

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

    /// Returns the script that will be played.
    pub fn plays(&self) -> &Script {
        &self.script
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
        let orders = Orders::default();
        orders.set_script(self.script_text);
        let shared = Arc::new(Shared {
            journal: Arc::new(Journal::new(Arc::clone(&self.clock))),
            clock: self.clock,
            activity: self.activity,
            seed: self.seed,
            profile: self.profile,
            cache: PromptCache::default(),
            files: Files::default(),
            selector: Mutex::new(Selector::new(self.script)),
            tls: self.tls,
            orders,
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
        Ok(MockDeepSeek { address, shared, server, stopped, control, expected: Mutex::default() })
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
