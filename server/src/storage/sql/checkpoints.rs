//! Moving SQLite's log into its file, beside those who write.
//!
//! SQLite would let whoever commits the thousandth page do it, and all who want to write wait meanwhile: of a hundred turns
//! one or two took some milliseconds longer. A passive checkpoint waits for nobody and nobody waits for it. It does not
//! move what is written meanwhile, so that a log under unceasing load may grow: at [`LOG_PAGES_MAX`] all wait once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio::runtime::Handle;

use super::{connections::Connections, row::Columns};
use crate::storage::Stored;

/// So many transactions come between two checkpoints.
const WRITES: u32 = 100;

/// So many pages of 4 KiB the log may have before writers wait for a checkpoint. Most of it is moved already then.
const LOG_PAGES_MAX: i64 = 4 * 1024;

const BESIDE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const ALONE: &str = "PRAGMA wal_checkpoint(RESTART)";

/// Sees to the log of one file. `Clone` shares the count.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    readers: Connections,
    writers: Connections,
    since_last: AtomicU32,
    is_running: AtomicBool,
}

impl Checkpoints {
    pub(super) fn new(readers: Connections, writers: Connections) -> Self {
        let (since_last, is_running) = Default::default();
        Self(Arc::new(Shared { readers, writers, since_last, is_running }))
    }

    /// Counts a transaction, and begins a checkpoint in the background when it is time.
    pub(super) fn written(&self) {
        let shared = &self.0;
        if shared.since_last.fetch_add(1, Ordering::Relaxed) < WRITES {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if shared.is_running.swap(true, Ordering::AcqRel) {
            return;
        }
        shared.since_last.store(0, Ordering::Relaxed);
        let shared = Arc::clone(shared);
        runtime.spawn(async move {
            if let Err(error) = shared.run().await {
                tracing::warn!(%error, "log of the database could not be moved into its file");
            }
            shared.is_running.store(false, Ordering::Release);
        });
    }
}

impl Shared {
    async fn run(&self) -> Stored<()> {
        if checkpoint(&self.readers, BESIDE).await? > LOG_PAGES_MAX {
            checkpoint(&self.writers, ALONE).await?;
        }
        Ok(())
    }
}

/// Returns how many pages the log has.
async fn checkpoint(connections: &Connections, how: &'static str) -> Stored<i64> {
    let mut lease = connections.lease().await?;
    let row = sqlx::query(how).fetch_one(&mut *lease).await?;
    lease.whole();
    Columns::new("wal_checkpoint", &row).get("log")
}
