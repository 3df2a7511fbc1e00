//! A fresh PostgreSQL database for a test, by a ladder.
//!
//! 1. the server that `TEST_DATABASE_URL` names;
//! 2. a container, where an engine answers and an image is local already;
//! 3. a cluster of the `postgres` programs found on this machine, on a private socket, one per test process;
//! 4. none: the test says that it was skipped, and fails if `GAUNTLET_REQUIRE` lists `postgres`.
//!
//! Invariant: nothing of it outlives the test process, be it killed. A shell waits for the end of its
//! input, which the system closes with the process, then stops the cluster and removes its folder.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};
use uuid::Uuid;

use super::absence;

/// Who owns a cluster when the tests run as root, which PostgreSQL refuses to be.
const OWNER: &str = "postgres";

/// Starts a cluster in `$1` with the programs in `$2`, says so, and takes it down when its input ends.
const KEEPER: &str = r#"
    "$2/initdb" -D "$1/data" -U postgres -A trust -N -E UTF8 >"$1/log" 2>&1 &&
    "$2/pg_ctl" -D "$1/data" -w -l "$1/log" \
        -o "-k $1 -c listen_addresses= -c fsync=off -c max_connections=400" start >/dev/null 2>&1 &&
    echo ready
    cat >/dev/null
    "$2/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$1"
"#;

/// A database of one test. Dropping it leaves the database behind; [`drop_database`](Self::drop_database)
/// does not.
pub(crate) struct Fresh {
    pub(crate) url: String,
    name: String,
    admin_url: String,
    /// Keeps the container, if it is one.
    _container: Option<ContainerAsync<GenericImage>>,
}

impl Fresh {
    /// Makes a database, or says why there is none and returns `None`.
    ///
    /// # Panics
    /// When `GAUNTLET_REQUIRE` demands one.
    pub(crate) async fn database() -> Option<Self> {
        let Some((admin_url, container)) = server().await else {
            absence::skip("postgres", "no PostgreSQL", "set TEST_DATABASE_URL, or install its programs");
            return None;
        };
        let name = format!("gauntlet_{}", Uuid::new_v4().simple());
        execute(&admin_url, &format!("CREATE DATABASE {name}")).await;
        let url = renamed(&admin_url, &name);
        Some(Self { url, name, admin_url, _container: container })
    }

    /// Runs a script in the database.
    pub(crate) async fn run(&self, sql: &str) {
        execute(&self.url, sql).await;
    }

    /// Returns the URL under which whoever asks is another role.
    pub(crate) fn as_role(&self, role: &str) -> String {
        let mark = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{mark}options=-c%20role%3D{role}", self.url)
    }

    /// Removes the database.
    pub(crate) async fn drop_database(self) {
        execute(&self.admin_url, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Returns the URL with another database name in it.
fn renamed(url: &str, name: &str) -> String {
    let (front, parameters) = url.split_once('?').map_or((url, String::new()), |(a, b)| (a, format!("?{b}")));
    let (server, _) = front.rsplit_once('/').unwrap();
    format!("{server}/{name}{parameters}")
}

async fn server() -> Option<(String, Option<ContainerAsync<GenericImage>>)> {
    if let Ok(url) = env::var("TEST_DATABASE_URL") {
        return Some((url, None));
    }
    if let Some((url, container)) = container().await {
        return Some((url, Some(container)));
    }
    Some((local_cluster()?, None))
}

/// Starts a container if an image is here; nothing is ever pulled.
async fn container() -> Option<(String, ContainerAsync<GenericImage>)> {
    static TAG: OnceLock<Option<String>> = OnceLock::new();
    let tag = TAG.get_or_init(local_image).clone()?;
    let container = GenericImage::new("postgres".to_owned(), tag)
        .with_exposed_port(5432.tcp())
        .with_wait_for(WaitFor::message_on_stdout("ready for start up"))
        .with_wait_for(WaitFor::message_on_stderr("ready to accept connections"))
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust")
        .start()
        .await
        .ok()?;
    let (host, port) = (container.get_host().await.ok()?, container.get_host_port_ipv4(5432).await.ok()?);
    Some((format!("postgres://postgres@{host}:{port}/postgres"), container))
}

fn local_image() -> Option<String> {
    let listed = Command::new("docker").args(["images", "postgres", "--format", "{{.Tag}}"]).output().ok()?;
    let tags = String::from_utf8(listed.stdout).ok().filter(|_| listed.status.success())?;
    tags.lines().find(|tag| *tag != "<none>").map(str::to_owned)
}

/// Returns the URL of this process's own cluster, started at the first call.
fn local_cluster() -> Option<String> {
    static CLUSTER: OnceLock<Option<String>> = OnceLock::new();
    CLUSTER.get_or_init(|| start_cluster(&programs()?)).clone()
}

fn start_cluster(programs: &Path) -> Option<String> {
    // Kept so that its input stays open as long as this process lives.
    static KEEPER_PROCESS: Mutex<Option<Child>> = Mutex::new(None);
    let folder = env::temp_dir().join(format!("gauntlet-pg-{}", std::process::id()));
    fs::create_dir_all(&folder).ok()?;
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "sh"]).arg(&folder).arg(programs).current_dir("/");
    keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    if id("-u", None)? == 0 {
        let (user, group) = (id("-u", Some(OWNER))?, id("-g", Some(OWNER))?);
        chown(&folder, Some(user), Some(group)).ok()?;
        keeper.uid(user).gid(group);
    }
    let mut keeper = keeper.spawn().ok()?;
    let mut said = String::new();
    BufReader::new(keeper.stdout.take()?).read_line(&mut said).ok()?;
    *KEEPER_PROCESS.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
    (said.trim() == "ready")
        .then(|| format!("postgres://postgres@localhost/postgres?host={}", folder.display()))
}

fn id(what: &str, user: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(user).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Returns the folder of `initdb` and `pg_ctl`: where Debian puts them (the newest), or in the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let in_path = env::var_os("PATH").unwrap_or_default();
    folders.splice(0..0, env::split_paths(&in_path).collect::<Vec<_>>().into_iter().rev());
    let complete = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    folders.into_iter().rev().find(complete)
}
