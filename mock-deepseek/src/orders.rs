//! What was ordered from outside while the mock runs: faults for every request.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::fault::Fault;

/// Orders that hold until they are taken back.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Whether faults are ordered: mostly none are, and then no request waits for them.
    break_all: AtomicBool,
    faults: Mutex<Option<Arc<[Fault]>>>,
}

impl Orders {
    /// Returns the faults for every request that names none itself.
    pub(crate) fn faults(&self) -> Option<Arc<[Fault]>> {
        if !self.break_all.load(Ordering::Acquire) {
            return None;
        }
        self.locked().clone()
    }

    /// Sets the faults for every request; `None` leaves them to the script again.
    pub(crate) fn set_faults(&self, faults: Option<Vec<Fault>>) {
        let mut ordered = self.locked();
        self.break_all.store(faults.is_some(), Ordering::Release);
        *ordered = faults.map(Into::into);
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<[Fault]>>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
