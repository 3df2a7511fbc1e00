//! What all connections of a mock share.
//!
//! Invariant: everything that varies from one answer to the next comes from the seed, the number of
//! the request and the clock; nothing from the machine.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clock::{Activity, SharedClock};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use crate::{
    cache::PromptCache,
    duration::Lasts,
    fault::Fault,
    files::Files,
    headers::Headers,
    journal::Journal,
    limits::Limits,
    orders::Orders,
    profile::ApiProfile,
    render::Stamp,
    request::ChatRequest,
    script::{Script, ScriptError},
    select::{Choice, Selector},
    tls::Tls,
};

/// Spreads request numbers over the seed space.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The parts behind every connection.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: SharedClock,
    pub(crate) activity: Activity,
    pub(crate) journal: Arc<Journal>,
    pub(crate) seed: u64,
    pub(crate) profile: ApiProfile,
    pub(crate) cache: PromptCache,
    pub(crate) files: Files,
    pub(crate) selector: Mutex<Selector>,
    /// `None`: connections are plain.
    pub(crate) tls: Option<Tls>,
    pub(crate) orders: Orders,
    pub(crate) limits: Limits,
    /// No more requests are taken; answers under way go on.
    pub(crate) closing: CancellationToken,
    /// Where the control API listens, if it does.
    pub(crate) control: Option<SocketAddr>,
}

impl Shared {
    pub(crate) fn selector(&self) -> MutexGuard<'_, Selector> {
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses by the script; what was ordered for every request goes before its faults.
    pub(crate) fn choose(&self, request: &ChatRequest, headers: &Headers) -> Choice {
        let mut choice = self.selector().choose(request, headers);
        if let Some(faults) = self.orders.faults() {
            choice.faults = faults;
        }
        choice
    }

    /// Returns the fault that strikes while a client shakes hands, before there is a request to match.
    pub(crate) fn handshake_fault(&self) -> Option<(Fault, Lasts)> {
        let faults = self.orders.faults().unwrap_or_else(|| self.selector().default_faults());
        faults.into_iter().find_map(|fault| fault.behaviour().handshake().map(|lasts| (fault, lasts)))
    }

    /// Returns how the URL of the API begins.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Replaces the script by its text; a text that cannot be read changes nothing.
    pub(crate) fn load_script(&self, text: &str) -> Result<(), ScriptError> {
        let script = Script::from_toml(text);
        self.journal.watch.metrics.script_loaded(script.is_ok());
        *self.selector() = Selector::new(script?);
        self.orders.set_script(Some(text.to_owned()));
        Ok(())
    }

    /// Forgets the journal, the prompt cache, the uploaded files and what was ordered for every request; the rules
    /// count anew.
    pub(crate) fn reset(&self) {
        self.journal.clear();
        self.orders.set_faults(None);
        self.selector().reset();
        self.cache.clear();
        self.files.clear();
    }

    /// Returns what identifies the answer to the request of this number.
    pub(crate) fn stamp(&self, number: u64) -> Stamp {
        let mut chance = StdRng::seed_from_u64(self.seed ^ number.wrapping_mul(SPREAD));
        let mut id = [0; 16];
        chance.fill_bytes(&mut id);
        let wall = self.clock.wall();
        Stamp {
            id: uuid::Builder::from_random_bytes(id).into_uuid().to_string(),
            created: wall.as_second(),
            trace: format!("{:016x}{:016x}", chance.next_u64(), chance.next_u64()),
            date: wall.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            seed: self.seed,
            profile: self.profile,
        }
    }
}
