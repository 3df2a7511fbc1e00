//! The target's process in the course of one scenario, where it was started here.

use std::time::Duration;

use crate::{observation::ProcessSeen, run::Seen, target::Process, world::World};

/// Its connections may be gone a moment before it is.
const LAST_BREATH: Duration = Duration::from_millis(100);
const MIB: u64 = 1024 * 1024;

/// What was known when the scenario began.
pub(super) struct Watch<'a> {
    world: &'a World,
    process: &'a Process,
    /// So many lines of its log belong to earlier scenarios.
    written: usize,
    memory: Option<u64>,
}

impl<'a> Watch<'a> {
    /// Begins where the log of the scenario before was read to.
    pub(super) async fn begin(world: &'a World, written: usize) -> Option<Self> {
        let process = world.process.as_ref()?;
        Some(Self { world, process, written, memory: process.watch_memory().await })
    }

    /// Returns what it has written since.
    pub(super) fn seen(&self) -> Seen {
        let (panics, log) = (self.process.panics_since(self.written), self.process.log_since(self.written));
        Seen { panics: Some(panics), log }
    }

    /// Lets it end, if it is about to.
    pub(super) async fn let_end(&self) {
        self.world.clock().sleep(LAST_BREATH).await;
    }

    /// Tells what became of it.
    pub(super) async fn end(self, growth_mib: u64) -> ProcessSeen {
        let most = self.process.memory().await;
        let death = self.process.blame().await;
        ProcessSeen { death, memory: self.memory.zip(most), growth_max: growth_mib * MIB }
    }
}
