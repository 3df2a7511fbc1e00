//! `gauntlet load`: what a target carries, and whether it keeps its promises meanwhile.
//!
//! A profile with groups is a crowd of users of a chat; one with cases measures requests beside their floor.

mod cases;
pub(crate) mod crowd;
mod live;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use loadtest::result::Outcome;

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which load, on whom, and where the figures go.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Built-in profile (`chat`, `idle`: users of a chat; `mock-streams`: the mock), or a file (`./my.toml`)
    #[arg(value_name = "PROFILE")]
    profile: String,
    /// Whom to load: a target file for users of a chat; a URL of what runs here already for profiles with cases
    #[arg(long, value_name = "FILE|URL")]
    target: Option<String>,
    /// Measure for so long, such as `10s`; of a profile with cases, each of them
    #[arg(long, value_name = "TIME", value_parser = measured)]
    duration: Option<Duration>,
    /// Write the figures here as JSON; `-` prints them and nothing else
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print the profile, to copy and change, and do nothing
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    crowd: crowd::Arguments,
    #[command(flatten)]
    cases: cases::Arguments,
}

impl Arguments {
    /// Says whether the figures go to standard output, for a program.
    fn is_read_by_a_program(&self) -> bool {
        self.json.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }
}

/// Reads how long is measured: no longer than a profile may say.
fn measured(text: &str) -> Result<Duration, String> {
    let span = loadtest::duration(text)?;
    let most = loadtest::TIME_MAX;
    let is_fine = (Duration::from_millis(1)..=most).contains(&span);
    is_fine.then_some(span).ok_or_else(|| format!("write a time from 1ms to {}m", most.as_secs() / 60))
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let text = read(&arguments.profile)?;
    let is_crowd = crowd::Profile::is_one(&text);
    let wrong = if is_crowd { arguments.cases.given() } else { arguments.crowd.given() };
    if let Some(option) = wrong {
        let kind = if is_crowd { "of a profile with cases" } else { "of users of a chat" };
        return Err(Failure::usage(format_args!(
            "`{option}` is {kind}, and `{}` is none",
            arguments.profile
        )));
    }
    if is_crowd { crowd::run(arguments, &text) } else { cases::run(arguments, &text) }
}

/// Returns the text of a built-in profile or of a file: a file's name has a point or a slash.
fn read(name: &str) -> Result<String, Failure> {
    if !name.contains(['.', '/', '\\']) {
        return loadtest::built_in(name).map(ToOwned::to_owned).map_err(Failure::usage);
    }
    fs::read_to_string(name)
        .map_err(|error| Failure::usage(format_args!("cannot read the profile `{name}`: {error}")))
}

/// Prints the table, and writes the JSON where it was asked for.
fn tell(json: Option<&Path>, (table, text): (&str, &str)) -> Result<(), Failure> {
    match json {
        Some(path) if path.as_os_str() == "-" => {
            output::print(&format!("{text}\n"));
            return Ok(());
        }
        Some(path) => write(path, text)?,
        None => {}
    }
    output::print(table);
    Ok(())
}

/// Writes a file that was asked for.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::usage(format_args!("cannot write `{}`: {error}", path.display())))
}

/// Returns the exit code of an outcome.
pub(crate) fn code(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Held => ExitCode::Held,
        Outcome::Failed => ExitCode::Failed,
        Outcome::Inconclusive => ExitCode::Inconclusive,
    }
}
