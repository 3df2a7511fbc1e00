//! From a URL to open connections with the newest tables.
//!
//! Invariant: at most one server has a SQLite file open (a lock file beside it); on PostgreSQL any
//! number may start at once, and migrations run one after the other.

mod file;

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clock::Clock;
use sqlx::{
    AnyConnection, AnyPool, Connection, SqlSafeStr,
    any::{AnyConnectOptions, AnyPoolOptions},
    error::DatabaseError,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::PgConnectOptions,
};

use super::{Database, checkpoints::Checkpoints, connections::Connections};
pub(super) use file::FileLock;

/// How long a call waits for a connection, be it busy elsewhere or not to be had.
pub const REACH_LIMIT: Duration = Duration::from_secs(5);

/// How long a server that waits for its database waits between two tries.
const OPEN_PAUSE: Duration = Duration::from_secs(1);

/// Beginning of PostgreSQL's codes for: shutting down or starting up.
const STARTING_UP: &str = "57P0";

/// What a SQLite connection is told. WAL lets readers go on while one writes. `NORMAL` keeps all that
/// was acknowledged when the process dies at any point; only a power cut may take the last moments
/// (never half a transaction), and `FULL` would pay a disk flush per message for that. The log is moved into the file
/// beside those who write ([`Checkpoints`]), not by one of them.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; \
    PRAGMA wal_autocheckpoint = 0;";

/// So long a SQLite connection waits for a lock, in milliseconds.
pub(super) const BUSY_LIMIT: &str = "PRAGMA busy_timeout = 5000";

/// SQLite's code for a file with another format, `SQLITE_NOTADB`.
const NOT_A_DATABASE: &str = "26";

/// The migrations in order: number, name, text. Released ones never change.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "first tables", include_str!("../../../migrations/0001_first_tables.sql")),
    (2, "accounts", include_str!("../../../migrations/0002_accounts.sql")),
    (3, "calendar", include_str!("../../../migrations/0003_calendar.sql")),
    (4, "languages", include_str!("../../../migrations/0004_languages.sql")),
    (5, "ends of facts", include_str!("../../../migrations/0005_ends_of_facts.sql")),
    (6, "consents", include_str!("../../../migrations/0006_consents.sql")),
    (7, "replaced messages", include_str!("../../../migrations/0007_replaced_messages.sql")),
    (8, "tokens", include_str!("../../../migrations/0008_tokens.sql")),
    (9, "order of reminders", include_str!("../../../migrations/0009_order_of_reminders.sql")),
    (10, "symptom words", include_str!("../../../migrations/0010_symptom_words.sql")),
    (11, "glossary", include_str!("../../../migrations/0011_glossary.sql")),
    (12, "received suggestions", include_str!("../../../migrations/0012_received_suggestions.sql")),
    (13, "ends of facts in order", include_str!("../../../migrations/0013_ends_of_facts_in_order.sql")),
];

/// The database could not be opened. No message contains a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of no known kind.
    #[error(
        "`database.url` begins with `{scheme}`, expected `sqlite:PATH` or \
         `postgres://USER:PASSWORD@HOST/NAME`"
    )]
    Scheme {
        /// What it begins with.
        scheme: String,
    },
    /// The rest of the URL cannot be understood.
    #[error("`database.url` cannot be read: {problem}")]
    Url {
        /// What is wrong, and what to write.
        problem: String,
    },
    /// The SQLite file belongs to a running server.
    #[error(
        "database file `{path}` is in use by another server; stop that one, or give this one another file \
         in `database.url`"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The SQLite file or its lock file cannot be made.
    #[error("database file `{path}` cannot be opened: {cause}; check that its folder exists and is writable")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The path leads to a folder, a device or the like.
    #[error("database `{path}` is not a file; name a file in `database.url`, or one that is not there yet")]
    NotAFile {
        /// What the URL names.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("`{path}` is not a SQLite database; name another file in `database.url`")]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// SQLite does not get on with the file.
    #[error("database file `{path}` cannot be used: {cause}; check that no other program holds it")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: sqlx::Error,
    },
    /// The engine was reached and says nothing.
    #[error(
        "database `{place}` does not answer within {} s; check that it is a PostgreSQL that is not overloaded",
        REACH_LIMIT.as_secs()
    )]
    Silent {
        /// Host, port and name.
        place: String,
    },
    /// The engine is not there or refuses us.
    #[error("database `{place}` cannot be reached: {cause}; check that it runs and what `database.url` says")]
    Unreachable {
        /// Host, port and name, or the file.
        place: String,
        /// What the driver says.
        cause: sqlx::Error,
    },
    /// The tables could not be brought up to date.
    #[error(
        "tables of database `{place}` cannot be brought up to date: {cause}; nothing was changed by that step"
    )]
    Migration {
        /// Host, port and name, or the file.
        place: String,
        /// What went wrong.
        cause: MigrateError,
    },
}

/// Which engine is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Returns the text for this engine, of one for SQLite and one for PostgreSQL.
    pub(super) const fn text(self, [sqlite, postgres]: [&'static str; 2]) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

impl Database {
    /// Opens the database that `url` names, makes or updates its tables, and keeps at most
    /// `connections` connections for reading and writing (SQLite: one more for writing).
    ///
    /// `sqlite:PATH` makes the file if there is none, but not its folder. Gives up after
    /// [`REACH_LIMIT`]; who wants to wait longer for an engine that starts up calls again.
    pub async fn open(url: &str, connections: u32) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        match url.split_once(':') {
            Some(("sqlite", path)) => open_file(path, connections).await,
            Some(("postgres" | "postgresql", _)) => open_server(url, connections).await,
            Some((scheme, _)) => Err(OpenError::Scheme { scheme: scheme.to_owned() }),
            None => {
                let problem =
                    "it names no engine; write `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`";
                Err(OpenError::Url { problem: problem.to_owned() })
            }
        }
    }
}

impl Database {
    /// Opens the database like [`Database::open`], and waits for a PostgreSQL that is not there yet: tries again
    /// until `limit` has passed on the clock. What waiting cannot mend is told at once.
    pub async fn open_within(
        url: &str,
        connections: u32,
        (clock, limit): (&dyn Clock, Duration),
    ) -> Result<Self, OpenError> {
        let until = clock.now() + limit;
        loop {
            match Self::open(url, connections).await {
                Err(error) if error.may_pass() && clock.now() < until => {
                    tracing::warn!(%error, "database is not there yet and will be tried again");
                    clock.sleep(OPEN_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }
}

impl OpenError {
    /// Tells an engine that may still come up from one that refuses us, or a URL that is wrong.
    fn may_pass(&self) -> bool {
        match self {
            Self::Silent { .. } => true,
            Self::Unreachable { cause, .. } => {
                let code = cause.as_database_error().and_then(DatabaseError::code);
                cause.as_database_error().is_none() || code.is_some_and(|code| code.starts_with(STARTING_UP))
            }
            _ => false,
        }
    }
}

async fn open_file(path: &str, connections: u32) -> Result<Database, OpenError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        let problem = format!("`{path}` is not the path of a file; write `sqlite:PATH` without parameters");
        return Err(OpenError::Url { problem });
    }
    let resolved = file::resolve(Path::new(path))?;
    let lock = FileLock::take(&resolved)?;
    let Some(path) = resolved.to_str() else {
        let problem = format!("`{}` is not UTF-8; write a path that is", resolved.display());
        return Err(OpenError::Url { problem });
    };
    let unusable = |cause| unusable(&resolved, cause);
    let options = file_options(path).map_err(unusable)?;
    probe(&options).await.map_err(unusable)?;
    let pool = AnyPoolOptions::new()
        .acquire_timeout(REACH_LIMIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepared(connection)));
    let writers = pool.clone().max_connections(1).connect_with(options.clone()).await.map_err(unusable)?;
    migrate(&writers, path).await?;
    let readers = pool.max_connections(connections).connect_lazy_with(options);
    let engine = Engine::Sqlite;
    let readers = Connections::new((engine, &lock), readers, connections);
    let writers = Connections::new((engine, &lock), writers, 1);
    let checkpoints = Some(Checkpoints::new(readers.clone(), writers.clone()));
    Ok(Database { engine, readers, writers, checkpoints, lock })
}

/// Opens the file once by itself: a pool would try again and again until its time-out, and then has
/// forgotten why.
async fn probe(options: &AnyConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect_with(options).await?;
    prepared(&mut connection).await?;
    connection.close().await
}

async fn prepared(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for pragmas in [PRAGMAS, BUSY_LIMIT] {
        sqlx::raw_sql(pragmas).execute(&mut *connection).await?;
    }
    Ok(())
}

fn unusable(path: &Path, cause: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    let code = cause.as_database_error().and_then(DatabaseError::code);
    if code.as_deref() == Some(NOT_A_DATABASE) {
        return OpenError::NotSqlite { path };
    }
    OpenError::Unusable { path, cause }
}

/// Builds the options of a file whose name may hold what means something in a URL.
fn file_options(path: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    AnyConnectOptions::from_str(&format!("sqlite:{path}?mode=rwc"))
}

impl Database {
    /// Opens a PostgreSQL whose tables another one brings up to date, as the role of this URL may: that role needs no
    /// right to change tables.
    pub async fn join(url: &str, connections: u32) -> Result<Self, OpenError> {
        reached(url, connections).await.map(|(pool, _)| served(pool, connections))
    }
}

async fn open_server(url: &str, connections: u32) -> Result<Database, OpenError> {
    let (pool, place) = reached(url, connections).await?;
    migrate(&pool, &place).await?;
    Ok(served(pool, connections))
}

fn served(pool: AnyPool, connections: u32) -> Database {
    let (engine, lock) = (Engine::Postgres, FileLock::default());
    let connections = Connections::new((engine, &lock), pool, connections);
    Database { engine, readers: connections.clone(), writers: connections, checkpoints: None, lock }
}

async fn reached(url: &str, connections: u32) -> Result<(AnyPool, String), OpenError> {
    let place = PgConnectOptions::from_str(url).map(|options| place(&options));
    let place = place.map_err(|cause| OpenError::Url { problem: cause.to_string() })?;
    let options =
        AnyConnectOptions::from_str(url).map_err(|cause| OpenError::Url { problem: cause.to_string() })?;
    let pool = AnyPoolOptions::new().acquire_timeout(REACH_LIMIT).max_connections(connections);
    let pool = reach(pool, options).await.map_err(|cause| unreachable(&place, cause))?;
    Ok((pool, place))
}

/// Connects. The pool takes a refused connection for an engine that starts up, tries until its time-out
/// and then has forgotten why; a connection of our own beside it says at once what is wrong.
async fn reach(pool: AnyPoolOptions, options: AnyConnectOptions) -> Result<AnyPool, sqlx::Error> {
    let first = AnyConnection::connect_with(&options);
    let mut pool = std::pin::pin!(pool.connect_with(options.clone()));
    tokio::select! {
        biased;
        first = first => first?.close().await?,
        pool = &mut pool => return pool,
    }
    pool.await
}

fn unreachable(place: &str, cause: sqlx::Error) -> OpenError {
    let place = place.to_owned();
    match cause {
        sqlx::Error::PoolTimedOut => OpenError::Silent { place },
        cause => OpenError::Unreachable { place, cause },
    }
}

/// Returns where a PostgreSQL is, without who asks and how they prove it.
fn place(options: &PgConnectOptions) -> String {
    let name = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{}/{name}", socket.display()),
        None => format!("{}:{}/{name}", options.get_host(), options.get_port()),
    }
}

/// Runs the migrations that this database has not seen. Unknown newer ones are left alone, so that an old
/// server runs on new tables. PostgreSQL holds an advisory lock meanwhile, SQLite our file lock.
async fn migrate(pool: &AnyPool, place: &str) -> Result<(), OpenError> {
    let migrations = MIGRATIONS.iter().map(|&(number, name, text)| {
        Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    let done = migrator.set_ignore_missing(true).run(pool).await;
    done.map_err(|cause| OpenError::Migration { place: place.to_owned(), cause })
}
