//! The parts that a server is built from, handed in.
//!
//! Everything that decides, remembers or waits comes from here, so that whoever starts a server can
//! choose each of them. Nothing in this crate makes one of these behind the caller's back.

use std::sync::Arc;

use clock::SharedClock;

use crate::{
    breaker::{ByBlame, SharedPolicy},
    config::Config,
    exchange::SharedExchange,
    extract::{PatternExtractor, SharedExtractor},
    languages::Languages,
    limit::{MemoryLimits, SharedLimits},
    safety::{KeywordRedFlags, SharedRedFlags},
    storage::{Patient, SharedStorage},
    texts::SharedTexts,
};

/// What a server is made of. `Clone` shares them.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The settings, valid.
    pub config: Arc<Config>,
    /// Time and waiting.
    pub clock: SharedClock,
    /// What outlives the process.
    pub storage: SharedStorage,
    /// The same as the chat may use it; `storage` itself where there is none.
    pub chat_storage: Option<SharedStorage>,
    /// Who did how much.
    pub limits: SharedLimits,
    /// What replicas tell each other; nothing where a server is alone.
    pub exchange: Option<SharedExchange>,
    /// The languages in force, kept in step with the rows of `storage`.
    pub languages: Languages,
    /// User-facing texts by key and language.
    pub texts: SharedTexts,
    /// Signs of an emergency.
    pub red_flags: SharedRedFlags,
    /// Finds facts in what users say.
    pub extractor: SharedExtractor,
    /// What counts against the model.
    pub breaker_policy: SharedPolicy,
    /// Seed of everything random.
    pub seed: u64,
}

impl Parts {
    /// Returns the parts that a server is usually built from: limits in memory, the compiled-in texts,
    /// the detectors by lists and patterns.
    pub fn usual(config: Config, clock: SharedClock, storage: SharedStorage) -> Self {
        let languages = Languages::built_in();
        Self {
            config: Arc::new(config),
            limits: Arc::new(MemoryLimits::new(SharedClock::clone(&clock))),
            clock,
            storage,
            chat_storage: None,
            exchange: None,
            texts: Arc::new(languages.clone()),
            languages,
            red_flags: Arc::new(KeywordRedFlags::new()),
            extractor: Arc::new(PatternExtractor),
            breaker_policy: Arc::new(ByBlame),
            seed: 0,
        }
    }

    /// Returns the parts that the chat works with: what it stores goes by its own way, if it has one.
    pub(crate) fn of_the_chat(self) -> Self {
        let storage = self.chat_storage.clone().unwrap_or(self.storage);
        Self { storage, ..self }
    }

    /// Returns the same parts with a store whose every call has the limit of the settings.
    pub(crate) fn patient(self) -> Self {
        let (clock, patience) = (SharedClock::clone(&self.clock), self.config.database.patience);
        let patient = |storage: &SharedStorage| -> SharedStorage {
            Arc::new(Patient::new(Arc::clone(storage), SharedClock::clone(&clock), patience))
        };
        let (storage, chat_storage) = (patient(&self.storage), self.chat_storage.as_ref().map(patient));
        Self { storage, chat_storage, ..self }
    }
}
