//! The reference server and the mock in process: real sockets, virtual time, a fresh pair each.
//!
//! This module and its children are the only places that know the server's crate. They hand it its
//! parts and look at it from outside; what is weakened is weakened here, by settings or by a wrapped
//! part.

mod blame;
mod bucket;
mod exchange;
mod front;
mod listener;
mod parts;
mod relay;
mod under;
mod weeks;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::AtomicBool},
};

use clock::{Lab, SharedClock};
use mock_deepseek::MockDeepSeek;
use server::{
    Config, Parts,
    exchange::{MemoryExchange, Window},
    storage::{AccessStorage as _, Database, SharedStorage, Storage as _},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

use self::{
    front::Front,
    listener::MeteredListener,
    parts::{Twist, WatchedStorage},
    relay::{Habit, Relay},
    under::Under,
};
use crate::{
    Scenario,
    expr::Settings,
    line::{End, Line, Lines, Link, REPLICAS, Replica},
    model::Sabotage,
    nest,
    record::Recorder,
    world::{Broken, Crown, Time, World},
};

pub(super) use parts::names as parts_by_name;

/// Connections of the embedded database.
const DATABASE_CONNECTIONS: u32 = 4;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// What is taken away from the sound server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weakening {
    settings: toml::Table,
    part: Option<String>,
}

impl Weakening {
    /// Takes away what a sabotage names.
    pub(crate) fn new(sabotage: &Sabotage) -> Self {
        let part = sabotage.part.as_ref().map(|part| part.get_ref().clone());
        Self { settings: sabotage.settings.clone(), part }
    }
}

/// Returns the settings of the built-in server as they are by default.
pub(crate) fn default_settings() -> Settings {
    Settings::flatten(&Config::default().settings())
}

/// A running server and mock. Dropping it stops both.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) world: World,
    serving: Vec<JoinHandle<()>>,
    database: Database,
    _folder: TempDir,
    _relay: Option<Relay>,
    _front: Option<Front>,
}

/// What a stack is started with.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) weakening: &'a Weakening,
    pub(crate) seed: u64,
    pub(crate) metrics: metrics_util::debugging::Snapshotter,
}

impl Stack {
    /// Starts mock and server on free loopback ports.
    pub(crate) async fn start(lab: &Lab, plan: &Plan<'_>) -> Result<Self, Broken> {
        let clock: SharedClock = Arc::new(lab.clock().clone());
        let builder =
            MockDeepSeek::builder().clock(clock.clone()).activity(lab.activity().clone()).seed(plan.seed);
        let llm = builder.start().await.map_err(other)?;
        let folder = tempfile::tempdir().map_err(other)?;
        let relay = relay(plan.weakening, &llm, lab).await?;
        let (mut lines, database_line) = (Lines::default(), Line::default());
        lines.add((Replica::default(), Link::Database), database_line.clone());
        let mut model = relay.as_ref().map_or_else(|| llm.url(), Relay::url);
        if plan.scenario.tables.needs.iter().any(|need| need == Link::Llm.need()) {
            let to = End::parse(model.trim_start_matches("http://")).map_err(other)?;
            let means = (SharedClock::clone(&clock), lab.activity().clone());
            let ends = (SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), to);
            model = format!("http://{}", lines.carry(Link::Llm, ends, means).await.map_err(other)?);
        }
        let sound = config(plan, &model)?;
        // A scenario means the sound server's times, also when it runs on a weakened one.
        let mut settings = Settings::flatten(&sound.settings());
        let usual_settings = laboratory_settings();
        settings
            .0
            .extend(usual_settings.0.get("llm.base_url").map(|url| ("llm.base_url".to_owned(), url.clone())));
        let config = sound.with(&nested(&plan.weakening.settings)).map_err(other)?;
        let url = format!("sqlite:{}", folder.path().join("server.db").display());
        let database = Database::open(&url, DATABASE_CONNECTIONS).await.map_err(other)?;
        let send_buffer_bytes = config.http.send_buffer_bytes;
        let listener = listen(send_buffer_bytes).map_err(other)?;
        let front = front(plan.weakening, &listener, lab).await.map_err(other)?;
        let address = listener.local_addr().map_err(other)?;
        let base = front.as_ref().map_or_else(|| format!("http://{address}"), Front::url);
        let storage = (Arc::new(database.clone()) as SharedStorage, database_line);
        let mut replicas = replicas(plan, parts(plan, config, lab, storage), &mut lines).into_iter();
        let mut serving: Vec<_> =
            replicas.next().map(|parts| serve(listener, parts, lab)).into_iter().collect();
        let mut others = Vec::new();
        for parts in replicas {
            let listener = listen(send_buffer_bytes).map_err(other)?;
            others.push(format!("http://{}", listener.local_addr().map_err(other)?));
            serving.push(serve(listener, parts, lab));
        }
        let world = World {
            time: Time::Virtual(lab.clone()),
            base,
            others,
            entrance: super::Entrance::reference(),
            llm,
            recorder: Recorder::new(clock),
            settings,
            usual_settings,
            metrics: Some(plan.metrics.clone()),
            slack: std::time::Duration::ZERO,
            process: None,
            lines,
            crown: Some(crown(database.clone())),
            database_url: Some(url),
            nonce: "test".to_owned(),
            was_sound: AtomicBool::default(),
        };
        Ok(Self { world, serving, database, _folder: folder, _relay: relay, _front: front })
    }

    /// Stops both and closes the database.
    pub(crate) async fn stop(self) {
        self.serving.iter().for_each(JoinHandle::abort);
        self.world.llm.stop().await;
        self.database.close().await;
    }
}

/// Serves until it is aborted.
fn serve(listener: TcpListener, parts: Parts, lab: &Lab) -> JoinHandle<()> {
    let listener = MeteredListener::new(listener, lab.activity().clone());
    tokio::spawn(async move {
        if let Err(error) = server::run(listener, parts, std::future::pending()).await {
            tracing::error!(%error, "server ended");
        }
    })
}

/// Returns the parts of each server of the target: one, or several that share store, limits and an exchange.
fn replicas(plan: &Plan<'_>, parts: Parts, lines: &mut Lines) -> Vec<Parts> {
    if !plan.scenario.tables.needs.iter().any(|need| need == REPLICAS) {
        return vec![parts];
    }
    let part = plan.weakening.part.as_deref();
    let clock = || SharedClock::clone(&parts.clock);
    let shared = Arc::new(MemoryExchange::new(clock(), Window::new(&parts.config.conversation)));
    let replica = |replica| {
        let line = Line::default();
        lines.add((replica, Link::Exchange), line.clone());
        let exchange = exchange::exchange(part, &shared, (clock(), line, parts.config.redis.patience));
        let limits = bucket::of_a_replica(part, &parts);
        Parts { exchange, limits, ..parts.clone() }
    };
    Replica::ALL.into_iter().map(replica).collect()
}

/// Makes administrators as the command line does: in the database.
fn crown(database: Database) -> Crown {
    Crown(Arc::new(move |email| {
        let database = database.clone();
        Box::pin(async move {
            let absent = || format!("there is no account `{email}`");
            let known = database.credentials(&email).await.map_err(|error| error.to_string())?;
            let user = known.ok_or_else(absent)?.user.id;
            database.set_admin(user, true).await.map(drop).map_err(|error| error.to_string())
        })
    }))
}

/// Puts a relay between server and model if the weakening is one of its habits.
async fn relay(weakening: &Weakening, llm: &MockDeepSeek, lab: &Lab) -> Result<Option<Relay>, Broken> {
    match weakening.part.as_deref().and_then(Habit::named) {
        Some(habit) => Relay::start(habit, llm.url(), lab.activity()).await.map(Some).map_err(other),
        None => Ok(None),
    }
}

/// Listens on a free port as the command line would.
fn listen(send_buffer_bytes: u32) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(send_buffer_bytes)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.listen(BACKLOG)
}

/// Puts a front between users and server if the weakening is one of its habits.
async fn front(weakening: &Weakening, server: &TcpListener, lab: &Lab) -> io::Result<Option<Front>> {
    match weakening.part.as_deref().and_then(front::habit::Habit::named) {
        Some(habit) => Front::start(habit, server.local_addr()?, lab.activity()).await.map(Some),
        None => Ok(None),
    }
}

fn other(error: impl std::fmt::Display) -> Broken {
    Broken::Other(error.to_string())
}

/// The requirements' numbers, except where a laboratory would only burn time.
fn laboratory() -> Config {
    let mut config = Config::default();
    config.auth.argon2_memory_kib = 8;
    config.auth.argon2_passes = 1;
    config
}

/// Returns the settings that every scenario on the built-in target starts from.
pub(super) fn laboratory_settings() -> Settings {
    Settings::flatten(&laboratory().settings())
}

/// Returns the settings of the sound server, for a model at this URL.
fn config(plan: &Plan<'_>, llm: &str) -> Result<Config, Broken> {
    let mut config = laboratory();
    config.auth.secret = "a secret of the laboratory, 32 bytes and more".into();
    config.llm.api_key = "sk-laboratory".into();
    config = config.with(&nested(&plan.scenario.tables.settings)).map_err(other)?;
    llm.clone_into(&mut config.llm.base_url);
    Ok(config)
}

/// Says what is wrong with the settings of a scenario or of a sabotage on top of them.
pub(crate) fn check_settings(tables: &[&toml::Table]) -> Result<(), String> {
    let mut config = laboratory();
    for table in tables {
        config = config.with(&nested(table)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn nested(table: &toml::Table) -> toml::Table {
    toml::Table::try_from(nest(table)).unwrap_or_default()
}

fn parts(plan: &Plan<'_>, config: Config, lab: &Lab, (storage, line): (SharedStorage, Line)) -> Parts {
    let clock: SharedClock = Arc::new(lab.clock().clone());
    let part = plan.weakening.part.as_deref();
    let (twist, idle) = (Twist::named(part), config.conversation.idle);
    let sound = Parts::usual(config, clock, storage);
    let under = Under { activity: lab.activity().clone(), clock: SharedClock::clone(&sound.clock), line };
    Parts {
        storage: Arc::new(WatchedStorage::new(Arc::clone(&sound.storage), under, twist, idle)),
        limits: bucket::limits(part, Arc::clone(&sound.limits)),
        extractor: weeks::extractor(part, Arc::clone(&sound.extractor)),
        texts: parts::texts(part, Arc::clone(&sound.texts)),
        red_flags: parts::red_flags(part, Arc::clone(&sound.red_flags)),
        breaker_policy: blame::breaker_policy(part, Arc::clone(&sound.breaker_policy)),
        seed: plan.seed,
        ..sound
    }
}
