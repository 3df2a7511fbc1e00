//! What handlers are given: built once per server, shared by clone, taken out in parts.

use std::{ops::Deref, sync::Arc};

use axum::extract::FromRef;
use clock::SharedClock;

use crate::{
    abuse::Abuse,
    accounts::Accounts,
    audit::Audit,
    chat::Hub,
    config::Config,
    consent::Consents,
    languages::Watch,
    limit::{
        SharedLimits,
        address::{NetworkError, Proxies},
    },
    parts::Parts,
    routes::reminders::Running,
    sockets::Sockets,
    storage::SharedStorage,
};

/// Everything that a request can need. `Clone` costs one count, however many layers ask for it.
#[derive(Clone, Debug)]
pub(crate) struct AppState(Arc<Whole>);

/// What the clones of [`AppState`] share.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) parts: Parts,
    pub(crate) hub: Hub,
    pub(crate) accounts: Accounts,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) sockets: Sockets,
    pub(crate) running: Running,
    pub(crate) abuse: Abuse,
    pub(crate) audit: Audit,
}

/// What stands at the door: accounts, how often they may be tried, and the log of that.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) accounts: Accounts,
    pub(crate) audit: Audit,
    pub(crate) limits: SharedLimits,
    pub(crate) config: Arc<Config>,
}

/// Rows, and the time at which they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) storage: SharedStorage,
    pub(crate) clock: SharedClock,
}

impl AppState {
    /// Builds the parts that are made of other parts. Starts nothing.
    pub(crate) fn new(parts: Parts) -> Result<Self, NetworkError> {
        let parts = parts.patient();
        let proxies = Arc::new(Proxies::parse(&parts.config.http.trusted_proxies)?);
        let accounts =
            Accounts::new(Arc::clone(&parts.storage), Arc::clone(&parts.clock), &parts.config.auth);
        let sockets = Sockets::default();
        let abuse = Abuse::new(&parts, sockets.clone());
        let audit = Audit::new(&parts);
        let (hub, running) = (Hub::new(parts.clone(), audit.clone()), Running::default());
        Ok(Self(Arc::new(Whole { parts, hub, accounts, proxies, sockets, running, abuse, audit })))
    }
}

impl Deref for AppState {
    type Target = Whole;

    fn deref(&self) -> &Whole {
        &self.0
    }
}

impl FromRef<AppState> for Rows {
    fn from_ref(state: &AppState) -> Self {
        Self { storage: Arc::clone(&state.parts.storage), clock: Arc::clone(&state.parts.clock) }
    }
}

impl FromRef<AppState> for SharedStorage {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.parts.storage)
    }
}

impl FromRef<AppState> for SharedClock {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.parts.clock)
    }
}

impl FromRef<AppState> for Accounts {
    fn from_ref(state: &AppState) -> Self {
        state.accounts.clone()
    }
}

impl FromRef<AppState> for Watch {
    fn from_ref(state: &AppState) -> Self {
        state.hub.languages().clone()
    }
}

impl FromRef<AppState> for Consents {
    fn from_ref(state: &AppState) -> Self {
        Self::new(&state.parts)
    }
}

impl FromRef<AppState> for Hub {
    fn from_ref(state: &AppState) -> Self {
        state.hub.clone()
    }
}

impl FromRef<AppState> for Door {
    fn from_ref(state: &AppState) -> Self {
        Self {
            accounts: state.accounts.clone(),
            audit: state.audit.clone(),
            limits: Arc::clone(&state.parts.limits),
            config: Arc::clone(&state.parts.config),
        }
    }
}

impl FromRef<AppState> for Sockets {
    fn from_ref(state: &AppState) -> Self {
        state.sockets.clone()
    }
}

impl FromRef<AppState> for Arc<Config> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.parts.config)
    }
}

impl FromRef<AppState> for (Arc<Config>, Sockets) {
    fn from_ref(state: &AppState) -> Self {
        (Arc::clone(&state.parts.config), state.sockets.clone())
    }
}
