//! The script that is played now, and what became of the attempts to replace it.
//!
//! Invariant: there is always a script that is valid as a whole; a new one replaces it in one step.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU32},
};

use clock::Instant;

use crate::{
    script::{Script, ScriptError},
    select::Selector,
};

/// A script is not played; the one before it goes on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Wrong(#[from] ScriptError),
    /// One of its default faults could never happen.
    #[error("fault `{0}` needs TLS; serve under TLS, or leave the fault out")]
    NeedsTls(&'static str),
}

/// Which script is played, since when, and why not a newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptStatus {
    /// The watched file, if there is one.
    pub file: Option<PathBuf>,
    /// Counts the scripts that were played, from 1.
    pub version: u64,
    /// When this one began.
    pub since: Instant,
    /// How many rules it has.
    pub rules: usize,
    /// Why the newest version of the file is not played: it cannot be read, or it is wrong.
    pub problem: Option<String>,
}

/// The script that is played now.
#[derive(Debug)]
pub(crate) struct Stage {
    seed: u64,
    /// Requests under way outlive the script under which they began.
    under_way: Arc<AtomicU32>,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    selector: Arc<Selector>,
    /// The text of the script, if it came as text.
    text: Option<String>,
    status: ScriptStatus,
}

impl Stage {
    /// Begins to play a script; `text` is what it was read from, if it was.
    pub(crate) fn new(script: Script, text: Option<String>, seed: u64, since: Instant) -> Self {
        let under_way = Arc::default();
        let selector = Arc::new(Selector::new(script, seed, Arc::clone(&under_way)));
        let status = ScriptStatus { file: None, version: 1, since, rules: selector.rules(), problem: None };
        Self { seed, under_way, now: Mutex::new(Now { selector, text, status }) }
    }

    /// Returns what is played now.
    pub(crate) fn selector(&self) -> Arc<Selector> {
        Arc::clone(&self.now().selector)
    }

    pub(crate) fn status(&self) -> ScriptStatus {
        self.now().status.clone()
    }

    /// Returns the text of the script, if it came as text.
    pub(crate) fn text(&self) -> Option<String> {
        self.now().text.clone()
    }

    /// Plays another script from now on.
    pub(crate) fn play(&self, script: Script, text: Option<String>, since: Instant) {
        let selector = Arc::new(Selector::new(script, self.seed, Arc::clone(&self.under_way)));
        let mut now = self.now();
        now.status.version += 1;
        now.status.since = since;
        now.status.rules = selector.rules();
        now.status.problem = None;
        now.selector = selector;
        now.text = text;
    }

    /// Notes which file is watched.
    pub(crate) fn watches(&self, file: PathBuf) {
        self.now().status.file = Some(file);
    }

    /// Notes why the newest version of the file is not played.
    pub(crate) fn refuses(&self, problem: String) {
        self.now().status.problem = Some(problem);
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
