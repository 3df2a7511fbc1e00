//! Reads the languages from the database, at start and whenever what is in force has grown old.

use std::{sync::Arc, time::Duration};

use clock::{Instant, SharedClock, timeout};
use tokio::sync::Mutex;

use super::{BrokenRow, Languages, Set};
use crate::storage::{SharedStorage, StorageError};

/// How old a set may be before it is read anew: a change is in force on every replica after so long.
pub const AGE_MAX: Duration = Duration::from_secs(1);

/// How long a message waits for a reading; then it is handled in the set that is there.
pub const READ_LIMIT: Duration = Duration::from_millis(250);

/// How long a server that starts waits for its database.
pub const START_LIMIT: Duration = Duration::from_secs(30);

/// How long it waits between two tries.
const START_PAUSE: Duration = Duration::from_secs(1);

/// The rows could not be put in force; what was in force before still is.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// A row is not what it should be.
    #[error(transparent)]
    Broken(#[from] BrokenRow),
    /// The rows could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The database did not give the languages to a server that starts.
#[derive(Debug, thiserror::Error)]
#[error("languages could not be read within {} s: {cause}; check that the database runs", START_LIMIT.as_secs())]
pub struct StartError {
    /// What the last try ended with.
    cause: StorageError,
}

/// Keeps the languages in step with the rows. `Clone` shares the last reading.
#[derive(Clone, Debug)]
pub struct Watch {
    languages: Languages,
    storage: SharedStorage,
    clock: SharedClock,
    /// When the rows were last asked for, answered or not. Held during a reading, so that there is one at a time.
    asked_at: Arc<Mutex<Option<Instant>>>,
}

impl Watch {
    /// Keeps `languages` in step with the rows of `storage`. Reads nothing yet.
    pub fn new(languages: Languages, storage: SharedStorage, clock: SharedClock) -> Self {
        Self { languages, storage, clock, asked_at: Arc::default() }
    }

    /// Returns the languages that are kept in step.
    pub const fn languages(&self) -> &Languages {
        &self.languages
    }

    /// Reads the rows of a server that starts: until they come, or for [`START_LIMIT`]. A broken row stops nobody
    /// from starting; then the built-in languages are in force.
    pub async fn start(&self) -> Result<(), StartError> {
        let until = self.clock.now() + START_LIMIT;
        loop {
            let is_last = self.clock.now() >= until;
            match self.reload().await {
                Ok(()) | Err(ReloadError::Broken(_) | ReloadError::Storage(StorageError::Corrupt { .. })) => {
                    return Ok(());
                }
                Err(ReloadError::Storage(error)) if is_last => {
                    return Err(StartError { cause: error });
                }
                Err(ReloadError::Storage(_)) => self.clock.sleep(START_PAUSE).await,
            }
        }
    }

    /// Sees to it that what is in force is not older than [`AGE_MAX`]. Takes [`READ_LIMIT`] at most, and a reading
    /// that fails or takes longer is not tried again before that age.
    pub async fn fresh(&self) {
        if timeout(&*self.clock, READ_LIMIT, self.read_if_old()).await.is_err() {
            self.report(format!("no answer within {READ_LIMIT:?}"));
        }
    }

    /// Reads the rows now, and says why if that changes nothing.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let mut asked_at = self.asked_at.lock().await;
        *asked_at = Some(self.clock.now());
        self.read().await
    }

    async fn read_if_old(&self) {
        let mut asked_at = self.asked_at.lock().await;
        let now = self.clock.now();
        if asked_at.is_some_and(|at| now < at + AGE_MAX) {
            return;
        }
        *asked_at = Some(now);
        // Reported where it happens.
        let _ = self.read().await;
    }

    async fn read(&self) -> Result<(), ReloadError> {
        let read = self.rows().await;
        match &read {
            Ok(()) => metrics::counter!("language_reloads_total", "outcome" => "read").increment(1),
            Err(error) => self.report(error.to_string()),
        }
        read
    }

    /// Texts come first: a broken row of a language holds back none of them.
    async fn rows(&self) -> Result<(), ReloadError> {
        let revision = self.storage.text_revision().await?;
        if self.languages.text_revision() != Some(revision) {
            self.languages.put_texts(revision, &self.storage.live_texts().await?);
        }
        self.languages.put(Set::from_rows(self.storage.languages().await?)?);
        Ok(())
    }

    fn report(&self, problem: String) {
        metrics::counter!("language_reloads_total", "outcome" => "failed").increment(1);
        tracing::error!(problem, "languages stay as they were");
        self.languages.keep(problem);
    }
}
