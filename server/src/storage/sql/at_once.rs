//! Several statements in one call.
//!
//! A call wakes SQLite's thread and then ours, and on PostgreSQL it is a round trip: together that costs more than what
//! most statements do.

use sqlx::{
    Any,
    any::{AnyArguments, AnyRow},
    pool::PoolConnection,
    query::Query,
};

use super::Database;
use crate::storage::Stored;

/// A connection that is closed unless what it does is done whole: nobody else must find it in the middle of a transaction.
struct Whole {
    connection: PoolConnection<Any>,
    is_done: bool,
}

impl Database {
    /// Does what one text says, as a transaction of its own; on SQLite the text itself begins and ends it. Returns its
    /// rows.
    ///
    /// Cancellation-safe: a dropped call has happened whole or not at all.
    pub(super) async fn at_once(&self, query: Query<'static, Any, AnyArguments>) -> Stored<Vec<AnyRow>> {
        let mut whole = Whole { connection: self.writers.acquire().await?, is_done: false };
        // All rows are asked for: of a text whose reader leaves with the first one the rest is not done.
        let rows = query.fetch_all(&mut *whole.connection).await?;
        whole.is_done = true;
        Ok(rows)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.is_done {
            self.connection.close_on_drop();
        }
    }
}
