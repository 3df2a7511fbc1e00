//! `gauntlet compare`: what became different from one report to another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use scenarios::{
    compare::{Change, compare, render},
    result::{Run, SCHEMA_VERSION},
};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which reports.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The report that was: `run.json`, or the folder that holds it
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The report that is
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

/// Ends with 1 where something became worse, or is gone.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let differences = compare(&old, &new);
    if arguments.json {
        let json = serde_json::to_string_pretty(&differences).map_err(Failure::environment)?;
        output::print(&format!("{json}\n"));
    } else {
        output::print(&render(&differences, (&old, &new)));
    }
    let is_worse = differences.iter().any(|it| matches!(it.change, Change::Worse | Change::Gone));
    Ok(if is_worse { ExitCode::Failed } else { ExitCode::Held })
}

/// Where reports come from.
const WRITER: &str = "`gauntlet run` writes `target/gauntlet/report/run.json`";

/// Reads the report in a folder or file.
pub(crate) fn read(path: &Path) -> Result<Run, Failure> {
    let file = if path.is_dir() { path.join("run.json") } else { path.to_owned() };
    let shown = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        Failure::usage(format!("cannot read the report `{shown}`: {error}\n  hint: {WRITER}"))
    })?;
    let run: Run = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{shown}` is no report of a run: {error}\n  hint: {WRITER}"))
    })?;
    if run.schema_version != SCHEMA_VERSION {
        return Err(Failure::usage(format!(
            "`{shown}` has version {} of the format, this program reads {SCHEMA_VERSION}",
            run.schema_version
        )));
    }
    Ok(run)
}
