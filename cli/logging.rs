//! The log: on standard error, so that results stay clean.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts the log. `LOG_LEVEL` (or `RUST_LOG`) chooses what is told, `LOG_FORMAT=json` how.
#[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
pub(crate) fn start() {
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
    _ = if std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().try_init()
    } else {
        log.try_init()
    };
}
