//! `gauntlet serve`: the reference server alone.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use clock::{SharedClock, SystemClock};
use secrecy::ExposeSecret;
use server::{
    Config, Parts,
    exchange::{RedisExchange, Window},
    languages::START_LIMIT,
    limit::SharedBuckets,
    shared::Redis,
    storage::{Database, SharedStorage},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    runtime::Runtime,
    sync::oneshot,
};
use toml::{Table, Value};

use crate::{config::Source, exit_code::ExitCode, failure::Failure, logging, signal::Wishes};

/// What to serve, and where.
#[derive(Debug, Default, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Database, `sqlite:PATH` or `postgres://…`; wins over file and environment
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where to listen; wins over file and environment
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

impl Arguments {
    fn config(&self) -> Result<Config, Failure> {
        let mut wanted = Table::new();
        wanted.extend(self.database.clone().map(|url| ("database.url".to_owned(), Value::from(url))));
        wanted
            .extend(self.listen.map(|address| ("http.listen".to_owned(), Value::from(address.to_string()))));
        self.source.load()?.with(&wanted).map_err(Failure::usage)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    logging::start();
    let config = arguments.config()?;
    let runtime = Runtime::new().map_err(Failure::environment)?;
    let ended = runtime.block_on(serve(config)).map_err(Failure::environment);
    // What still runs after the second wish to stop is not waited for.
    runtime.shutdown_background();
    ended
}

/// Connections that the system keeps until they are accepted.
const BACKLOG: u32 = 1024;

/// Binds a socket whose connections keep so many bytes for a client that does not read, roughly.
fn bind(address: SocketAddr, send_buffer_bytes: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that is started again must not wait for connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(send_buffer_bytes)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let address = config.http.listen;
    let listener = bind(address, config.http.send_buffer_bytes).map_err(|error| taken(address, error))?;
    warn_of_short_lived_tokens(&config);
    let parts = parts(config).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let (stop, stopped) = oneshot::channel();
    tokio::select! {
        ended = server::run(server::undelayed(listener), parts, async { stopped.await.unwrap_or_default() }) => ended?,
        () = second_wish(stop) => {
            tracing::warn!("stopped at once, by a second signal");
            return Ok(ExitCode::Interrupted);
        }
    }
    tracing::info!("stopped");
    Ok(ExitCode::Held)
}

/// Passes the first wish to stop on to the server, and returns at the second.
async fn second_wish(stop: oneshot::Sender<()>) {
    let mut wishes = Wishes::listen();
    wishes.next().await;
    tracing::info!("stopping in order; a second signal stops at once");
    // Where nobody listens any more the server has ended already.
    let _ = stop.send(());
    wishes.next().await;
}

fn warn_of_short_lived_tokens(config: &Config) {
    if config.auth.secret.expose_secret().is_empty() {
        tracing::warn!(
            "`auth.secret` is empty: tokens end with this process, and no other accepts them; \
             set `JWT_SECRET` to 32 bytes or more to keep them good"
        );
    }
}

/// Says who has the port and how to get another.
fn taken(address: SocketAddr, error: io::Error) -> anyhow::Error {
    let way_out = match error.kind() {
        io::ErrorKind::AddrInUse => "is taken; stop what listens there, or choose another with `--listen`",
        io::ErrorKind::PermissionDenied => "is not allowed; choose a port above 1023 with `--listen`",
        _ => "cannot be used; choose an address of this machine with `--listen`",
    };
    anyhow::Error::new(error).context(format!("address `{address}` {way_out}"))
}

async fn parts(config: Config) -> anyhow::Result<Parts> {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let (connections, chat_url) = (config.database.connections, config.database.chat_url.clone());
    let storage =
        Database::open_within(config.database.url.expose_secret(), connections, (&*clock, START_LIMIT))
            .await
            .context("cannot open the database")?;
    let chat_storage: Option<SharedStorage> = match chat_url.expose_secret() {
        "" => None,
        url => {
            let joined = Database::join(url, connections).await;
            Some(Arc::new(joined.context("cannot open the database of `database.chat_url`")?))
        }
    };
    let usual = Parts::usual(config, clock, Arc::new(storage));
    shared(Parts { seed: rand::random(), chat_storage, ..usual })
}

/// Lets the parts share with other replicas what the settings say.
fn shared(parts: Parts) -> anyhow::Result<Parts> {
    let settings = &parts.config.redis;
    if !settings.is_used() {
        return Ok(parts);
    }
    let clock = || Arc::clone(&parts.clock);
    let redis = Redis::new(&settings.url, clock(), settings.patience)?;
    let limits = Arc::new(SharedBuckets::new(redis.clone(), clock()));
    let exchange = RedisExchange::new(redis, clock(), Window::new(&parts.config.conversation));
    Ok(Parts { limits, exchange: Some(Arc::new(exchange)), ..parts })
}
