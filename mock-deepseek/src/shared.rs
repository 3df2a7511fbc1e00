//! What all connections of a mock share.
//!
//! Invariant: everything that varies from one answer to the next comes from the seed, the number of
//! the request and the clock; nothing from the machine.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use clock::{Activity, SharedClock, Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    cache::PromptCache,
    chance::Chance,
    duration::Lasts,
    fault::Fault,
    files::Files,
    journal::Journal,
    limits::Limits,
    orders::Orders,
    profile::ApiProfile,
    record::Deck,
    render::Stamp,
    replay::Player,
    script::Script,
    stage::{LoadError, Stage},
    tls::{self, Tls},
};

/// Where answers come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The mock itself, as the script says.
    Script,
    /// A real upstream, recorded.
    Upstream(Box<Deck>),
    /// What was recorded before.
    Cassette(Player),
}

/// The parts behind every connection.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: SharedClock,
    pub(crate) activity: Activity,
    pub(crate) journal: Arc<Journal>,
    pub(crate) seed: u64,
    pub(crate) date: Date,
    pub(crate) profile: ApiProfile,
    pub(crate) cache: PromptCache,
    pub(crate) files: Files,
    pub(crate) stage: Stage,
    /// `None`: connections are plain.
    pub(crate) tls: Option<Tls>,
    pub(crate) source: Source,
    pub(crate) orders: Orders,
    pub(crate) limits: Limits,
    /// No more requests are taken; answers under way go on.
    pub(crate) closing: CancellationToken,
    /// Where the control API listens, if it does.
    pub(crate) control: Option<SocketAddr>,
}

impl Shared {
    /// Returns the fault that strikes while a client shakes hands, before there is a request to match.
    pub(crate) fn handshake_fault(&self) -> Option<(Fault, Lasts)> {
        let selector = self.stage.selector();
        let faults = self.orders.faults().unwrap_or_else(|| Arc::clone(selector.default_faults()));
        faults.iter().find_map(|fault| Some((fault.clone(), fault.behaviour().handshake()?)))
    }

    /// Returns how the URL of the API begins.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Replaces the script by its text, and counts the attempt; a text that is refused changes nothing.
    pub(crate) fn load_script(&self, text: &str) -> Result<(), LoadError> {
        let script = self.readable(text);
        self.journal.watch.metrics.script_loaded(script.is_ok());
        self.stage.play(script?, Some(text.to_owned()), self.clock.now());
        Ok(())
    }

    fn readable(&self, text: &str) -> Result<Script, LoadError> {
        let script = Script::from_toml(text)?;
        match tls::needed_by(&script.default.faults).filter(|_| self.tls.is_none()) {
            Some(fault) => Err(LoadError::NeedsTls(fault)),
            None => Ok(script),
        }
    }

    /// Forgets the journal, the prompt cache, the uploaded files and what was ordered for every request; rules and
    /// replays count anew, and the balance is at its start.
    pub(crate) fn reset(&self) {
        self.journal.clear();
        self.orders.set_faults(None);
        self.stage.selector().reset();
        self.cache.clear();
        self.files.clear();
        if let Source::Cassette(player) = &self.source {
            player.reset();
        }
    }

    /// Returns what identifies the answer to the request of this number.
    pub(crate) fn stamp(&self, number: u64) -> Stamp {
        let mut chance = Chance::new(self.seed, number);
        let mut bits = || u128::from(chance.bits()) << 64 | u128::from(chance.bits());
        let (id, trace) = (uuid::Builder::from_random_bytes(bits().to_be_bytes()).into_uuid(), bits());
        let wall = self.clock.wall();
        Stamp {
            id: id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).to_owned(),
            created: wall.as_second(),
            trace: Uuid::from_u128(trace).simple().encode_lower(&mut Uuid::encode_buffer()).to_owned(),
            date: self.date.at(wall),
            seed: self.seed,
            profile: self.profile,
        }
    }
}

/// The `Date` header, rendered once a second.
#[derive(Debug, Default)]
pub(crate) struct Date(Mutex<Option<(i64, Arc<str>)>>);

impl Date {
    fn at(&self, wall: Timestamp) -> Arc<str> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((second, text)) if *second == wall.as_second() => Arc::clone(text),
            _ => {
                let text: Arc<str> = wall.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().into();
                *last = Some((wall.as_second(), Arc::clone(&text)));
                text
            }
        }
    }
}
