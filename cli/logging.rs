//! The log: on standard error, so that results stay clean.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    registry,
    util::SubscriberInitExt as _,
};

/// Where what is to be told is looked for; the first that is set counts.
const VARIABLES: [&str; 2] = ["LOG_LEVEL", "RUST_LOG"];

/// What is told unless something else is asked for.
const DEFAULT: LevelFilter = LevelFilter::INFO;

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
    let set = |name| std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| (name, text));
    let (told, wrong) = match VARIABLES.into_iter().find_map(set).map(|(name, text)| (name, read(&text))) {
        Some((_, Ok(told))) => (told, None),
        Some((name, Err(error))) => (Targets::new().with_default(DEFAULT), Some((name, error))),
        None => (Targets::new().with_default(DEFAULT), None),
    };
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
    if let Some((name, error)) = wrong {
        tracing::warn!("{name}: {error}; write `debug`, or `warn,server=debug`. `{DEFAULT}` is taken");
    }
}

/// Reads what is to be told. A word alone must be a level: taken for a part of the program, as the library does, a
/// misspelt one would silence all the others.
fn read(text: &str) -> anyhow::Result<Targets> {
    for part in text.split(',').map(str::trim) {
        let Some((target, _)) = part.split_once('=') else {
            part.parse::<LevelFilter>().map_err(|_| anyhow::anyhow!("`{part}` is no level"))?;
            continue;
        };
        anyhow::ensure!(!target.contains('['), "`{target}`: spans cannot be asked for");
    }
    text.parse().map_err(|error| anyhow::anyhow!("`{text}` is not understood ({error})"))
}
