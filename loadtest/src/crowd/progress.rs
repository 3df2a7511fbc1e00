//! What is told while a load runs.

use std::{fmt, sync::Arc};

use super::report::Second;

/// Something that has happened.
#[derive(Clone, Debug)]
pub enum Progress {
    /// What is done now, in words.
    Told(String),
    /// A second has passed.
    Second {
        /// What it brought, measured or not.
        second: Box<Second>,
        /// Promises that were broken so far.
        broken: u64,
    },
}

/// Hears what happens while a load runs; whatever it does delays the load.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(Progress) + Send + Sync>);

impl Listener {
    /// Makes one of a function.
    pub fn new(hears: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hears))
    }

    pub(crate) fn tell(&self, progress: Progress) {
        (self.0)(progress);
    }

    pub(crate) fn say(&self, words: impl Into<String>) {
        self.tell(Progress::Told(words.into()));
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
