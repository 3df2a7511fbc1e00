//! What all connections of a mock share.
//!
//! Invariant: everything that varies from one answer to the next comes from the seed, the number of
//! the request and the clock; nothing from the machine.

use std::sync::{Arc, Mutex, PoisonError};

use clock::{Activity, SharedClock, Timestamp};
use uuid::Uuid;

use crate::{
    cache::PromptCache, chance::Chance, files::Files, journal::Journal, profile::ApiProfile, record::Deck,
    render::Stamp, replay::Player, stage::Stage, tls::Tls,
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
}

impl Shared {
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
