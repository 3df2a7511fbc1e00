//! Connections, each for one call at a time.
//!
//! sqlx's pool opens and closes them. It would also ask each of them whether it still lives whenever it is given back, and
//! PostgreSQL's once more when it is taken: that wakes SQLite's thread as often as what was to be done, and makes three
//! round trips of one. So they are kept here between two calls, and of PostgreSQL's only those are asked that have lain
//! idle, or since before a call that failed.
//!
//! Invariant: nobody finds one in the middle of a transaction. What was begun on it and not ended, be it for an error or
//! because the call was given up, is rolled back before it is kept; where that fails it is closed.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::{Clock, Instant, SystemClock, timeout};
use sqlx::{Any, AnyConnection, AnyPool, Connection, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{Engine, open::REACH_LIMIT};
use crate::storage::Stored;

/// So long a connection to PostgreSQL lies idle and is taken for one that lives.
const LIVES_FOR: Duration = Duration::from_secs(1);

/// Connections that wait for calls, in order of arrival. `Clone` shares them.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engine: Engine,
    pool: AnyPool,
    places: Arc<Semaphore>,
    /// Those that nobody uses; `None` once all is closed.
    idle: Mutex<Option<Vec<Kept>>>,
    /// When a call failed last, or was given up: who was idle then may be cut off too.
    failed_at: Mutex<Option<Instant>>,
    /// Not one that is handed in: how long a socket may be trusted is no matter of the server's time.
    clock: SystemClock,
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Lease {
    /// There until it is dropped.
    kept: Option<Kept>,
    is_whole: bool,
    shared: Arc<Shared>,
    /// Given back after the connection.
    place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Any>,
    /// When it was given back last.
    since: Instant,
}

impl Connections {
    /// Takes over a pool of at most `most` connections, which nobody else may use.
    pub(super) fn new(engine: Engine, pool: AnyPool, most: u32) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        let (idle, failed_at) = (Mutex::new(Some(Vec::new())), Mutex::default());
        Self(Arc::new(Shared { engine, pool, places, idle, failed_at, clock: SystemClock::new() }))
    }

    /// Waits for a connection, [`REACH_LIMIT`] at most.
    pub(super) async fn lease(&self) -> Stored<Lease> {
        let shared = Arc::clone(&self.0);
        let place = timeout(&shared.clock, REACH_LIMIT, Arc::clone(&shared.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let kept = shared.connection().await?;
        Ok(Lease { kept: Some(kept), is_whole: false, shared, place: Some(place) })
    }

    /// Closes all, after what they do now. Later calls fail.
    pub(super) async fn close(&self) {
        self.0.places.close();
        drop(self.0.idle().take());
        self.0.pool.close().await;
    }
}

impl Shared {
    /// Takes the one that was used last, or opens another one.
    async fn connection(&self) -> Result<Kept, sqlx::Error> {
        while let Some(mut kept) = self.take()? {
            if self.trusts(&kept) || kept.connection.ping().await.is_ok() {
                return Ok(kept);
            }
            kept.connection.close_on_drop();
        }
        Ok(Kept { connection: self.pool.acquire().await?, since: self.clock.now() })
    }

    fn trusts(&self, kept: &Kept) -> bool {
        let failed_at = *lock(&self.failed_at);
        self.engine == Engine::Sqlite
            || self.clock.now() < kept.since + LIVES_FOR && failed_at.is_none_or(|at| at < kept.since)
    }

    fn keep(&self, mut kept: Kept) {
        kept.since = self.clock.now();
        match self.idle().as_mut() {
            Some(idle) => idle.push(kept),
            // The pool waits for it and closes it.
            None => drop(kept),
        }
    }

    /// Ends what was begun on a connection, if anything was.
    async fn roll_back(&self, mut kept: Kept) {
        let ending = sqlx::query("ROLLBACK").execute(&mut *kept.connection);
        match timeout(&self.clock, REACH_LIMIT, ending).await {
            Ok(Ok(_)) => self.keep(kept),
            // SQLite's way to say that nothing was begun.
            Ok(Err(sqlx::Error::Database(_))) if self.engine == Engine::Sqlite => self.keep(kept),
            Ok(Err(_)) | Err(_) => kept.connection.close_on_drop(),
        }
    }

    fn take(&self) -> Result<Option<Kept>, sqlx::Error> {
        Ok(self.idle().as_mut().ok_or(sqlx::Error::PoolClosed)?.pop())
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Kept>>> {
        lock(&self.idle)
    }
}

impl Lease {
    /// Gives the connection back after all that was begun on it has ended.
    pub(super) fn whole(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(mut kept), place) = (self.kept.take(), self.place.take()) else { return };
        if self.is_whole {
            self.shared.keep(kept);
            return;
        }
        *lock(&self.shared.failed_at) = Some(self.shared.clock.now());
        if let Ok(runtime) = Handle::try_current() {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                shared.roll_back(kept).await;
                drop(place);
            });
        } else {
            kept.connection.close_on_drop();
        }
    }
}

impl Deref for Lease {
    type Target = AnyConnection;

    #[expect(clippy::expect_used, reason = "the connection is taken out in `drop` alone")]
    fn deref(&self) -> &AnyConnection {
        &self.kept.as_ref().expect("connection of a lease").connection
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "the connection is taken out in `drop` alone")]
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.kept.as_mut().expect("connection of a lease").connection
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
