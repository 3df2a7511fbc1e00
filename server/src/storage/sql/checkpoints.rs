//! Moving SQLite's log into its file, beside those who write.
//!
//! SQLite would let whoever commits the thousandth page do it, and all who want to write wait meanwhile: of a hundred turns
//! one or two took some milliseconds longer (`gauntlet load chat`). A passive checkpoint waits for nobody, and no writer waits for it; it takes a
//! connection for reading. What is written meanwhile it does not move, so that a log under unceasing load may grow: beyond
//! [`LOG_PAGES_MAX`] writers wait for the rest, [`READERS_LIMIT`] at most where somebody else reads the file and does not end.
//! A disk may take longer for a checkpoint than for all that is written meanwhile: beyond [`WRITES_MAX`] writers wait for it.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use sqlx::AnyConnection;
use tokio::{runtime::Handle, sync::Mutex};

use super::{connections::Connections, open::BUSY_LIMIT, row::Columns};
use crate::storage::Stored;

/// So many transactions come between two checkpoints.
const WRITES: u32 = 100;

/// So many transactions may begin while a checkpoint runs, besides those under way. One writes some five pages.
const WRITES_MAX: u32 = 1000;

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
    /// Held by the one checkpoint that runs.
    running: Arc<Mutex<()>>,
}

impl Checkpoints {
    pub(super) fn new(readers: Connections, writers: Connections) -> Self {
        let (since_last, running) = Default::default();
        Self(Arc::new(Shared { readers, writers, since_last, running }))
    }

    /// Waits until the log has room for a transaction. Cancellation-safe.
    pub(super) async fn room(&self) {
        if self.0.since_last.load(Ordering::Relaxed) >= WRITES_MAX {
            drop(self.0.running.lock().await);
        }
    }

    /// Counts a transaction, and begins a checkpoint in the background when it is time.
    pub(super) fn written(&self) {
        let shared = &self.0;
        if shared.since_last.fetch_add(1, Ordering::Relaxed) < WRITES {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let Ok(running) = Arc::clone(&shared.running).try_lock_owned() else { return };
        shared.since_last.store(0, Ordering::Relaxed);
        let shared = Arc::clone(shared);
        runtime.spawn(async move {
            if let Err(error) = shared.run().await {
                tracing::warn!(%error, "log of the database could not be moved into its file");
            }
            drop(running);
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Database;

    #[tokio::test]
    async fn writers_wait_for_a_checkpoint_that_takes_longer_than_a_thousand_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::open(&format!("sqlite:{}/chat.db", folder.path().display()), 2).await.unwrap();
        let shared = &db.checkpoints.as_ref().unwrap().0;
        let running = Arc::clone(&shared.running).try_lock_owned().unwrap();
        shared.since_last.store(WRITES_MAX - 1, Ordering::Relaxed);

        db.write().await.unwrap().commit().await.unwrap();
        tokio::select! {
            biased;
            // It would take the only connection for writing, and go on.
            _ = db.write() => panic!("there was no room"),
            lease = db.writers.lease() => lease.unwrap().whole(),
        }
        drop(running);
        db.write().await.unwrap().commit().await.unwrap();

        assert!(shared.since_last.load(Ordering::Relaxed) < WRITES_MAX, "a checkpoint has begun");
    }
}
