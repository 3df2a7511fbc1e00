//! Moving SQLite's log into its file, beside those who write.
//!
//! SQLite would let whoever commits the thousandth page do it, and all who want to write wait meanwhile: of a hundred turns
//! one or two took some milliseconds longer (`gauntlet load chat`). A passive checkpoint waits for nobody, and no writer waits for it; it takes a
//! connection for reading. What is written meanwhile it does not move, so that a log under unceasing load may grow: beyond
//! [`LOG_PAGES_MAX`] writers wait for the rest, [`READERS_LIMIT`] at most where somebody else reads the file and does not end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use sqlx::AnyConnection;
use tokio::runtime::Handle;

use super::{connections::Connections, open::BUSY_LIMIT, row::Columns};
use crate::storage::Stored;

/// So many transactions come between two checkpoints.
const WRITES: u32 = 100;

/// So many pages of 4 KiB the log may have before writers wait for a checkpoint. Most of it is moved already then.
const LOG_PAGES_MAX: i64 = 4 * 1024;

/// So long writers wait for those who still read what the log begins with.
const READERS_LIMIT: &str = "PRAGMA busy_timeout = 100";

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
        let running = Running(Arc::clone(shared));
        runtime.spawn(async move {
            if let Err(error) = running.0.run().await {
                tracing::warn!(%error, "log of the database could not be moved into its file");
            }
        });
    }
}

/// The one checkpoint that runs, however it ends.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.is_running.store(false, Ordering::Release);
    }
}

impl Shared {
    async fn run(&self) -> Stored<()> {
        let mut lease = self.readers.lease().await?;
        let pages = checkpoint(&mut lease, BESIDE).await?;
        lease.whole();
        if pages <= LOG_PAGES_MAX {
            return Ok(());
        }
        let mut lease = self.writers.lease().await?;
        sqlx::query(READERS_LIMIT).execute(&mut *lease).await?;
        let done = checkpoint(&mut lease, ALONE).await;
        sqlx::query(BUSY_LIMIT).execute(&mut *lease).await?;
        lease.whole();
        done.map(drop)
    }
}

/// Returns how many pages the log has.
async fn checkpoint(connection: &mut AnyConnection, how: &'static str) -> Stored<i64> {
    let row = sqlx::query(how).fetch_one(connection).await?;
    Columns::new("wal_checkpoint", &row).get("log")
}
