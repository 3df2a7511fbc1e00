//! `gauntlet config`: what the server would run with.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use server::{Config, config::Profile};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which settings, and what to do with them.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the settings in force as TOML, secrets hidden
    Print(Source),
    /// Check the settings and say nothing else
    Check(Source),
    /// Print every setting with its default
    Reference,
}

/// Where settings come from, beside the environment.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Source {
    /// Settings file (TOML); variables of the environment win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the server is run for, `development` or `production`; file and environment win over it
    #[arg(long, value_name = "NAME", default_value = "development")]
    profile: Profile,
}

impl Source {
    /// Reads file and environment.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let text = self.config.as_ref().map(|path| {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the settings file `{}`", path.display()))?;
            Ok::<_, anyhow::Error>((path.display().to_string(), text))
        });
        let text = text.transpose().map_err(|error| Failure::usage(format_args!("{error:#}")))?;
        let text = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        Config::load_for(self.profile, text, environment()).map_err(Failure::usage)
    }
}

/// Returns the variables that are valid Unicode; no setting has another name or value.
fn environment() -> impl Iterator<Item = (String, String)> {
    let unicode = |text: OsString| text.into_string().ok();
    std::env::vars_os().filter_map(move |(name, value)| Some((unicode(name)?, unicode(value)?)))
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.action {
        Action::Print(source) => output::print(&source.load()?.to_toml()),
        Action::Check(source) => {
            source.load()?;
            output::warn("settings are valid");
        }
        Action::Reference => output::print(&Config::default().to_toml()),
    }
    Ok(ExitCode::Held)
}
