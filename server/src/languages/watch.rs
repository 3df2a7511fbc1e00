//! Reads the languages from the database, at start and whenever what is in force has grown old.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clock::{Instant, SharedClock, timeout};

use super::{BrokenRow, Languages, Lexicon, Set};
use crate::storage::{SharedStorage, StorageError, Stored};

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
    /// The words of administrators could not be read; languages and texts are in force.
    #[error("words could not be read: {0}")]
    Words(StorageError),
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
    /// When the last reading began that has ended, well or not.
    as_of: Arc<Mutex<Option<Instant>>>,
    /// Whether [`Watch::start`] has ended well.
    has_started: Arc<AtomicBool>,
    /// Held during a reading, so that there is one at a time.
    reading: Arc<tokio::sync::Mutex<()>>,
}

/// A reading. Whoever comes when it has ended, or was given up, need not read again.
struct Reading<'a> {
    began: Instant,
    as_of: &'a Mutex<Option<Instant>>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        *self.as_of.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.began);
    }
}

impl Watch {
    /// Keeps `languages` in step with the rows of `storage`. Reads nothing yet.
    pub fn new(languages: Languages, storage: SharedStorage, clock: SharedClock) -> Self {
        let (as_of, has_started, reading) = Default::default();
        Self { languages, storage, clock, as_of, has_started, reading }
    }

    /// Returns the languages that are kept in step.
    pub const fn languages(&self) -> &Languages {
        &self.languages
    }

    /// Returns whether the rows of the start have been read, or were found broken.
    pub fn has_started(&self) -> bool {
        self.has_started.load(Ordering::Relaxed)
    }

    /// Reads the rows of a server that starts: until they come, or for [`START_LIMIT`]. A broken row stops nobody
    /// from starting; then the built-in languages are in force. Nor do words that cannot be read.
    pub async fn start(&self) -> Result<(), StartError> {
        let until = self.clock.now() + START_LIMIT;
        loop {
            let is_last = self.clock.now() >= until;
            match self.reload().await {
                Ok(())
                | Err(
                    ReloadError::Broken(_)
                    | ReloadError::Words(_)
                    | ReloadError::Storage(StorageError::Corrupt { .. }),
                ) => {
                    self.has_started.store(true, Ordering::Relaxed);
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
    /// that fails or takes longer is not tried again before half that age. Where people speak all the time nobody waits: what
    /// is half as old is read anew in the background.
    pub async fn fresh(&self) {
        if self.is_younger_than(AGE_MAX / 2) {
            return;
        }
        if !self.is_younger_than(AGE_MAX) {
            self.in_time(self.read_if_old()).await;
        } else if let Ok(reading) = Arc::clone(&self.reading).try_lock_owned() {
            let watch = self.clone();
            tokio::spawn(async move {
                // Reported where it happens.
                watch.in_time(async { drop(watch.read().await) }).await;
                drop(reading);
            });
        }
    }

    /// Reads the rows now, and says why if that changes nothing.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let _reading = self.reading.lock().await;
        self.read().await
    }

    async fn read_if_old(&self) {
        let _reading = self.reading.lock().await;
        if !self.is_younger_than(AGE_MAX) {
            // Reported where it happens.
            let _ = self.read().await;
        }
    }

    async fn in_time(&self, reading: impl Future<Output = ()>) {
        if timeout(&*self.clock, READ_LIMIT, reading).await.is_err() {
            self.report(format!("no answer within {READ_LIMIT:?}"));
        }
    }

    fn is_younger_than(&self, age: Duration) -> bool {
        let as_of = *self.as_of.lock().unwrap_or_else(PoisonError::into_inner);
        as_of.is_some_and(|at| self.clock.now() < at + age)
    }

    async fn read(&self) -> Result<(), ReloadError> {
        let _reading = Reading { began: self.clock.now(), as_of: &self.as_of };
        let read = self.rows().await;
        match &read {
            Ok(()) => metrics::counter!("language_reloads_total", "outcome" => "read").increment(1),
            Err(error) => self.report(error.to_string()),
        }
        read
    }

    /// Texts come first: a broken row of a language holds back none of them. Words come last: however long they take, or
    /// fail, they hold back nothing.
    async fn rows(&self) -> Result<(), ReloadError> {
        let revision = self.storage.text_revision().await?;
        if self.languages.text_revision() != Some(revision) {
            self.languages.put_texts(revision, &self.storage.live_texts().await?);
        }
        let set = Set::from_rows(self.storage.languages().await?).map(|set| self.languages.put(set));
        let words = self.words().await;
        set?;
        words.map_err(ReloadError::Words)
    }

    async fn words(&self) -> Stored<()> {
        let revision = self.storage.word_revision().await?;
        if self.languages.lexicon().revision != Some(revision) {
            let (symptoms, terms) = (self.storage.symptom_words().await?, self.storage.glossary().await?);
            self.languages.put_lexicon(Lexicon::new(revision, &symptoms, &terms));
        }
        Ok(())
    }

    fn report(&self, problem: String) {
        metrics::counter!("language_reloads_total", "outcome" => "failed").increment(1);
        tracing::error!(problem, "languages stay as they were");
        self.languages.keep(problem);
    }
}
