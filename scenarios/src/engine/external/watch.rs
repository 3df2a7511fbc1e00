//! The target's process in the course of one scenario, where it was started here.

use std::time::Duration;

use crate::{observation::ProcessSeen, target::Process, world::World};

/// Its connections may be gone a moment before it is.
const LAST_BREATH: Duration = Duration::from_millis(100);
const MIB: u64 = 1024 * 1024;

/// What was known when the scenario began.
pub(super) struct Watch<'a> {
    world: &'a World,
    process: &'a Process,
    written: usize,
    memory: Option<u64>,
}

impl<'a> Watch<'a> {
    pub(super) async fn begin(world: &'a World) -> Option<Self> {
        let process = world.process.as_ref()?;
        let (written, memory) = (process.lines_written(), process.watch_memory().await);
        Some(Self { world, process, written, memory })
    }

    /// Returns what it has written since.
    pub(super) fn log(&self) -> Vec<String> {
        self.process.log_since(self.written)
    }

    /// Tells what became of it; `is_odd` says that it may be about to end.
    pub(super) async fn end(self, growth_mib: u64, is_odd: bool) -> ProcessSeen {
        if is_odd {
            self.world.clock().sleep(LAST_BREATH).await;
        }
        let most = self.process.memory().await;
        ProcessSeen { death: self.death().await, memory: self.memory.zip(most), growth_max: growth_mib * MIB }
    }

    async fn death(&self) -> Option<String> {
        let status = self.process.ended().await?;
        let last = self
            .log()
            .into_iter()
            .rfind(|line| !line.is_empty())
            .map(|line| format!("; it wrote last: {line}"));
        Some(format!("it ended with {status}{}", last.unwrap_or_default()))
    }
}
