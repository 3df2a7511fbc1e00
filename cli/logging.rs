//! The log: on standard error, so that results stay clean.

use std::{
    io::{self, IsTerminal as _},
    str::FromStr as _,
};

use tracing::Level;
use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

/// What is told unless something else is asked for.
const DEFAULT: Level = Level::INFO;

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Starts the log. `LOG_LEVEL` (or `RUST_LOG`) chooses what is told, `LOG_FORMAT=json` how.
pub(crate) fn start() {
    start_as(Format::wanted());
}

impl Format {
    /// Returns the format that the environment asks for.
    #[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
    pub(crate) fn wanted() -> Self {
        match std::env::var("LOG_FORMAT") {
            Ok(format) if format == "json" => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Starts the log in this format.
#[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
pub(crate) fn start_as(format: Format) {
    let wanted = std::env::var("LOG_LEVEL").or_else(|_| std::env::var("RUST_LOG")).ok();
    let asked = wanted.as_deref().map(Targets::from_str).transpose();
    let told = asked.as_ref().ok().cloned().flatten().unwrap_or_else(|| Targets::new().with_default(DEFAULT));
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // A log that nobody reads any more (a closed pipe) must not take the server with it.
        .log_internal_errors(false);
    // A second start (there is none) would leave the first log as it is.
    _ = match format {
        Format::Json => registry().with(told).with(lines.json()).try_init(),
        Format::Text => registry().with(told).with(lines).try_init(),
    };
    if let Err(error) = asked {
        tracing::warn!(%error, level = wanted, "LOG_LEVEL is not understood (such as `info` or `warn,server=debug`): `info` is taken");
    }
}
