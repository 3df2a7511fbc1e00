//! The log: on standard error, so that results stay clean.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

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
    let wanted = std::env::var("LOG_LEVEL").or_else(|_| std::env::var("RUST_LOG"));
    let filter =
        EnvFilter::try_new(wanted.as_deref().unwrap_or("info")).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // A log that nobody reads any more (a closed pipe) must not take the server with it.
        .log_internal_errors(false);
    // A second start (there is none) would leave the first log as it is.
    _ = match format {
        Format::Json => log.json().try_init(),
        Format::Text => log.try_init(),
    };
}
