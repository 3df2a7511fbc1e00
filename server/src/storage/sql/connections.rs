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
use sqlx::{Any, AnyConnection, AnyPool, Connection, error::DatabaseError, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{
    Engine,
    open::{FileLock, REACH_LIMIT},
};
use crate::storage::Stored;

/// So long a connection to PostgreSQL lies idle and is taken for one that lives.
const LIVES_FOR: Duration = Duration::from_secs(1);

/// So long a connection to PostgreSQL is used at most. What it has prepared may be out of date when tables have changed.
const USED_FOR: Duration = Duration::from_mins(30);

/// So long one that nobody needs is kept.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// SQLite's code for an end of a transaction where none was begun, `SQLITE_ERROR`.
const NOTHING_BEGUN: &str = "1";

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
    /// Held until the last connection is gone.
    _lock: FileLock,
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Lease {
    /// There until it is dropped.
    kept: Option<Kept>,
    is_whole: bool,
    has_begun: bool,
    shared: Arc<Shared>,
    /// Given back after the connection.
    place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Any>,
    opened_at: Instant,
    /// When it was given back last.
    since: Instant,
}

impl Connections {
    /// Takes over a pool of at most `most` connections, which nobody else may use.
    pub(super) fn new((engine, lock): (Engine, &FileLock), pool: AnyPool, most: u32) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        let (idle, failed_at) = (Mutex::new(Some(Vec::new())), Mutex::default());
        let (clock, lock) = (SystemClock::new(), lock.clone());
        Self(Arc::new(Shared { engine, pool, places, idle, failed_at, clock, _lock: lock }))
    }

    /// Waits for a connection, [`REACH_LIMIT`] at most.
    pub(super) async fn lease(&self) -> Stored<Lease> {
        let leased = timeout(&self.0.clock, REACH_LIMIT, self.take()).await;
        Ok(leased.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
    }

    /// Takes the connection that was used last, or opens another one.
    async fn take(&self) -> Result<Lease, sqlx::Error> {
        let shared = &self.0;
        let place = Arc::clone(&shared.places).acquire_owned().await;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(kept) = shared.idle_one()? {
            let is_trusted = shared.trusts(&kept);
            // Also while it is asked it is one that is closed when that is given up.
            let mut lease = self.of(kept);
            if is_trusted || lease.ping().await.is_ok() {
                lease.place = Some(place);
                return Ok(lease);
            }
            lease.cut_off();
        }
        let connection = shared.pool.acquire().await?;
        let now = shared.clock.now();
        let mut lease = self.of(Kept { connection, opened_at: now, since: now });
        lease.place = Some(place);
        Ok(lease)
    }

    fn of(&self, kept: Kept) -> Lease {
        Lease {
            kept: Some(kept),
            is_whole: false,
            has_begun: false,
            shared: Arc::clone(&self.0),
            place: None,
        }
    }

    /// Closes all, after what they do now. Later calls fail.
    pub(super) async fn close(&self) {
        self.0.places.close();
        drop(self.0.idle().take());
        self.0.pool.close().await;
    }
}

impl Shared {
    fn trusts(&self, kept: &Kept) -> bool {
        let failed_at = *lock(&self.failed_at);
        self.engine == Engine::Sqlite
            || self.clock.now() < kept.since + LIVES_FOR && failed_at.is_none_or(|at| at < kept.since)
    }

    fn keep(&self, mut kept: Kept) {
        let now = self.clock.now();
        kept.since = now;
        if self.engine == Engine::Postgres && kept.opened_at + USED_FOR < now {
            kept.connection.close_on_drop();
            return;
        }
        let mut idle = self.idle();
        // Once all is closed the pool waits for it and closes it.
        let Some(idle) = idle.as_mut() else { return };
        idle.push(kept);
        // The first one has been idle for longest.
        if self.engine == Engine::Postgres && idle[0].since + KEPT_FOR < now {
            idle.remove(0).connection.close_on_drop();
        }
    }

    /// Ends what was begun on a connection, if anything was.
    async fn roll_back(&self, mut kept: Kept, has_begun: bool) {
        let connection = &mut *kept.connection;
        let ending = async {
            if self.engine == Engine::Postgres && !has_begun {
                return connection.ping().await;
            }
            sqlx::query("ROLLBACK").execute(connection).await.map(drop)
        };
        match timeout(&self.clock, REACH_LIMIT, ending).await {
            Ok(Ok(())) => self.keep(kept),
            Ok(Err(sqlx::Error::Database(error))) if self.has_nothing_begun(&*error) => self.keep(kept),
            Ok(Err(_)) | Err(_) => kept.connection.close_on_drop(),
        }
    }

    fn has_nothing_begun(&self, error: &dyn DatabaseError) -> bool {
        self.engine == Engine::Sqlite && error.code().as_deref() == Some(NOTHING_BEGUN)
    }

    fn idle_one(&self) -> Result<Option<Kept>, sqlx::Error> {
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

    /// Closes a connection that has been found dead; nothing is left to roll back on it.
    fn cut_off(mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.connection.close_on_drop();
        }
    }

    /// Says that a transaction is begun on it.
    pub(super) fn begins(&mut self) {
        self.has_begun = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(kept), place) = (self.kept.take(), self.place.take()) else { return };
        if self.is_whole {
            self.shared.keep(kept);
            return;
        }
        *lock(&self.shared.failed_at) = Some(self.shared.clock.now());
        if let Ok(runtime) = Handle::try_current() {
            let (shared, has_begun) = (Arc::clone(&self.shared), self.has_begun);
            runtime.spawn(async move {
                shared.roll_back(kept, has_begun).await;
                drop(place);
            });
        } else {
            kept.cut();
        }
    }
}

impl Kept {
    /// Drops a connection where there is no runtime on which sqlx could close it in order.
    fn cut(self) {
        drop(self.connection.detach());
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let idle = self.idle().take();
        if Handle::try_current().is_err() {
            idle.into_iter().flatten().for_each(Kept::cut);
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
