//! Learns between two messages what has changed about the user's language, on whatever replica.

use std::sync::{Mutex, PoisonError};

use clock::{Instant, SharedClock, timeout};
use jiff::Timestamp;

use super::voice::Voice;
use crate::{
    ids::UserId,
    languages::{AGE_MAX, READ_LIMIT, Watch},
    storage::{NewPreference, PreferenceSource, SharedStorage},
};

/// Keeps the voice of one connection in step with the preference of its user.
#[derive(Debug)]
pub(super) struct Tuner {
    languages: Watch,
    storage: SharedStorage,
    clock: SharedClock,
    user: UserId,
    voice: Voice,
    asked_at: Mutex<Option<Instant>>,
    /// What was preferred and what was spoken instead, when that was last put in the history.
    noted: Mutex<Option<(String, String)>>,
}

impl Tuner {
    pub(super) fn new(
        languages: Watch,
        (storage, clock): (SharedStorage, SharedClock),
        (user, voice): (UserId, Voice),
    ) -> Self {
        let (asked_at, noted) = Default::default();
        Self { languages, storage, clock, user, voice, asked_at, noted }
    }

    /// Sees to it that languages and preference are not older than [`AGE_MAX`]. What cannot be read stays as it was;
    /// takes [`READ_LIMIT`] at most.
    pub(super) async fn tune(&self) {
        tokio::join!(self.languages.fresh(), self.ask());
    }

    /// Puts in the history that the user is spoken to in another language than the preferred one.
    pub(super) async fn note(&self, at: Timestamp) {
        if !self.voice.falls_back() {
            return;
        }
        let pair = (self.voice.wanted(), self.voice.language());
        if self.noted.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(&pair) {
            return;
        }
        let change =
            NewPreference { user: self.user, to: pair.1.clone(), source: PreferenceSource::Fallback, at };
        let noted = timeout(&*self.clock, READ_LIMIT, self.storage.prefer_language(change)).await;
        match noted {
            Ok(Ok(_)) => *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(pair),
            Ok(Err(error)) => tracing::error!(%error, "change of language is not in the history"),
            Err(_) => tracing::error!("change of language is not in the history: the store is late"),
        }
    }

    async fn ask(&self) {
        let now = self.clock.now();
        {
            let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            if asked_at.is_some_and(|at| now < at + AGE_MAX) {
                return;
            }
            *asked_at = Some(now);
        }
        match timeout(&*self.clock, READ_LIMIT, self.storage.user(self.user)).await {
            Ok(Ok(Some(user))) => self.voice.prefer(&user.language),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "user's language stays as it was"),
            Err(_) => tracing::warn!("user's language stays as it was: the store is late"),
        }
    }
}
