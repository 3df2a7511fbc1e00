//! What all connections of a mock share.
//!
//! Invariant: everything that varies from one answer to the next comes from the seed, the number of
//! the request and the clock; nothing from the machine.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clock::{Activity, SharedClock};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cache::PromptCache, files::Files, journal::Journal, profile::ApiProfile, record::Deck, render::Stamp,
    replay::Player, select::Selector, tls::Tls,
};

/// Spreads request numbers over the seed space.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

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
    pub(crate) profile: ApiProfile,
    pub(crate) cache: PromptCache,
    pub(crate) files: Files,
    pub(crate) selector: Mutex<Selector>,
    /// `None`: connections are plain.
    pub(crate) tls: Option<Tls>,
    pub(crate) source: Source,
}

impl Shared {
    pub(crate) fn selector(&self) -> MutexGuard<'_, Selector> {
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
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
