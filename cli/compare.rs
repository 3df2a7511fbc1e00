//! `gauntlet compare`: what became different from one report to another.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use loadtest::crowd::{self, PARTS_MAX, table};
use scenarios::{
    compare::{Change, compare, render},
    result::{Run, SCHEMA_VERSION},
};

use crate::{exit_code::ExitCode, failure::Failure, load, output};

/// Which reports.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The report that was and the one that is: `run.json`, or the folder that holds it. With `--merge`: all parts of a load
    #[arg(value_name = "REPORT", required = true, num_args = 2..=PARTS_MAX)]
    reports: Vec<PathBuf>,
    /// Add up the parts of one load (files of `gauntlet load --part --json`), and judge the whole
    #[arg(long)]
    merge: bool,
    /// Print the differences, or the whole, as JSON
    #[arg(long)]
    json: bool,
}

/// Ends with 1 where something became worse, or is gone.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.merge {
        return add_up(arguments);
    }
    let [old, new] = arguments.reports.as_slice() else {
        return Err(Failure::usage("two reports are compared; `--merge` takes the parts of one load"));
    };
    let (old, new) = (read(old)?, read(new)?);
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

/// Makes one report of the parts of a load, and ends as its verdict says.
fn add_up(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let part = |path: &PathBuf| Ok((path.display().to_string(), load::crowd::read(path)?));
    let parts: Vec<_> = arguments.reports.iter().map(part).collect::<Result<_, Failure>>()?;
    let whole = crowd::merge(&parts).map_err(Failure::usage)?;
    let told = if arguments.json { format!("{}\n", whole.json()) } else { table::render(&whole) };
    output::print(&told);
    Ok(load::code(whole.outcome()))
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
