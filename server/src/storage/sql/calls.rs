//! Calls to the engine: reading, several statements at once, and transactions.

use std::ops::{Deref, DerefMut};

use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{Database, checkpoints::Checkpoints, connections::Lease};
use crate::storage::Stored;

/// Asks for rows.
pub(super) trait Read: Sized {
    /// Reads all rows.
    async fn all(self, db: &Database) -> Stored<Vec<AnyRow>>;

    /// Reads the first row.
    async fn first(self, db: &Database) -> Stored<Option<AnyRow>>;
}

impl Read for Query<'_, Any, AnyArguments> {
    async fn all(self, db: &Database) -> Stored<Vec<AnyRow>> {
        let mut lease = db.readers.lease().await?;
        let rows = self.fetch_all(&mut *lease).await?;
        lease.whole();
        Ok(rows)
    }

    async fn first(self, db: &Database) -> Stored<Option<AnyRow>> {
        let mut lease = db.readers.lease().await?;
        let row = self.fetch_optional(&mut *lease).await?;
        lease.whole();
        Ok(row)
    }
}

/// A running transaction. Dropped without a commit it is rolled back.
pub(super) struct Tx {
    lease: Lease,
    checkpoints: Option<Checkpoints>,
}

impl Tx {
    pub(super) async fn commit(self) -> Stored<()> {
        self.end("COMMIT").await
    }

    pub(super) async fn rollback(self) -> Stored<()> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &'static str) -> Stored<()> {
        sqlx::query(how).execute(&mut *self.lease).await?;
        self.lease.whole();
        count(self.checkpoints.as_ref());
        Ok(())
    }
}

impl Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.lease
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.lease
    }
}

impl Database {
    /// Begins a transaction that may write. SQLite takes its write lock at once: a transaction that reads first and wants
    /// it later could find it taken, and would have to be repeated.
    pub(super) async fn write(&self) -> Stored<Tx> {
        let begin = self.engine.text(["BEGIN IMMEDIATE", "BEGIN"]);
        let mut lease = self.writer().await?;
        lease.begins();
        sqlx::query(begin).execute(&mut *lease).await?;
        Ok(Tx { lease, checkpoints: self.checkpoints.clone() })
    }

    /// Does what one text says, as a transaction of its own; on SQLite the text itself begins and ends it. Returns its
    /// rows. Each call costs SQLite's thread and ours a wake-up, or a round trip to PostgreSQL.
    ///
    /// Cancellation-safe: a dropped call has happened whole or not at all.
    pub(super) async fn at_once(&self, query: Query<'static, Any, AnyArguments>) -> Stored<Vec<AnyRow>> {
        let mut lease = self.writer().await?;
        // All rows are asked for: of a text whose reader leaves with the first one the rest is not done.
        let rows = query.fetch_all(&mut *lease).await?;
        lease.whole();
        count(self.checkpoints.as_ref());
        Ok(rows)
    }

    /// Leases a connection for writing, once SQLite's log has room.
    async fn writer(&self) -> Stored<Lease> {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.room().await;
        }
        self.writers.lease().await
    }
}

fn count(checkpoints: Option<&Checkpoints>) {
    if let Some(checkpoints) = checkpoints {
        checkpoints.written();
    }
}
