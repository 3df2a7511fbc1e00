//! What was ordered from outside while the mock runs: faults for every request, and the text of the script.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::fault::Fault;

/// Orders that hold until they are taken back.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Whether faults are ordered: mostly none are, and then no request waits for the state.
    break_all: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Option<Vec<Fault>>,
    script: Option<String>,
}

impl Orders {
    /// Returns the faults for every request that names none itself.
    pub(crate) fn faults(&self) -> Option<Vec<Fault>> {
        if !self.break_all.load(Ordering::Acquire) {
            return None;
        }
        self.state().faults.clone()
    }

    /// Sets the faults for every request; `None` leaves them to the script again.
    pub(crate) fn set_faults(&self, faults: Option<Vec<Fault>>) {
        let mut state = self.state();
        self.break_all.store(faults.is_some(), Ordering::Release);
        state.faults = faults;
    }

    /// Returns the text of the script, if it came as text.
    pub(crate) fn script(&self) -> Option<String> {
        self.state().script.clone()
    }

    /// Remembers the text of the script; `None` when it came as values.
    pub(crate) fn set_script(&self, text: Option<String>) {
        self.state().script = text;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
