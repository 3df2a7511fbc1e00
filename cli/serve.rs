//! `gauntlet serve`: the reference server alone.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use clock::SystemClock;
use secrecy::ExposeSecret;
use server::{Config, Parts, storage::Database};
use tokio::{net::TcpListener, runtime::Runtime};
use toml::{Table, Value};

use crate::{config::Source, exit_code::ExitCode, failure::Failure, logging, signal};

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
    runtime.block_on(serve(config)).map_err(Failure::environment)?;
    Ok(ExitCode::Held)
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let address = config.http.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| taken(address, error))?;
    let parts = parts(config).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    server::run(listener, parts, signal::stop()).await?;
    tracing::info!("stopped");
    Ok(())
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
    let clock = Arc::new(SystemClock::new());
    let storage = Database::open(config.database.url.expose_secret(), config.database.connections)
        .await
        .context("cannot open the database")?;
    Ok(Parts { seed: rand::random(), ..Parts::usual(config, clock, Arc::new(storage)) })
}
