//! `gauntlet explore`: search schedules of users, faults and time for one that breaks an invariant.

use std::{fs, path::PathBuf};

use clap::Args;
use scenarios::explore::{Found, Search, explore};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// What to search, and where what is found goes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Schedules to try at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    schedules: u32,
    /// Seed of the first schedule; the others follow from it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Weaken this part of the server first: a bug that is to be found
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    /// File for the scenario that shows what was found
    #[arg(long, value_name = "FILE", default_value = "found.toml")]
    into: PathBuf,
}

/// Ends with 1 where something was found.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { schedules, seed, part, into } = arguments;
    let shown = into.display();
    if into.exists() {
        return Err(Failure::usage(format!(
            "`{shown}` is there already\n  hint: choose another file with `--into`"
        )));
    }
    let search = Search { schedules: *schedules, seed: *seed, part: part.clone() };
    let found = explore(&search, &|_| {}).map_err(|error| Failure::invalid(*error))?;
    let Some(Found { schedule, drawn, steps, check, scenario }) = found else {
        output::print(&format!("{schedules} schedules from seed {seed}: every invariant held\n"));
        return Ok(ExitCode::Held);
    };
    fs::write(into, &scenario.source).map_err(|error| {
        Failure::environment(anyhow::Error::new(error).context(format!("cannot write `{shown}`")))
    })?;
    let command = if part.is_some() { "prove" } else { "run" };
    output::print(&format!(
        "schedule {schedule} of {schedules} breaks `{}`: {}\n\
         {steps} of its {drawn} steps are needed; `{shown}` holds them: gauntlet {command} {shown}\n",
        check.id, check.observed
    ));
    Ok(ExitCode::Failed)
}
