//! `gauntlet list`: the scenarios of the library.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use scenarios::Scenario;

use crate::{exit_code::ExitCode, failure::Failure, output, selection, target};

/// Which scenarios to list.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only those with this tag or feature row
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Those that fit the target of this file
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let words: Vec<_> = arguments.tag.iter().cloned().collect();
    let target = target::wanted(arguments.target.as_deref())?;
    output::print(&table(&selection::select(&words, &target)?));
    Ok(ExitCode::Held)
}

fn table(scenarios: &[Scenario]) -> String {
    let width = scenarios.iter().map(|scenario| scenario.id.len()).max().unwrap_or_default();
    scenarios.iter().fold(String::new(), |mut text, scenario| {
        let gap = scenario.gap().map(|gap| format!("gap {}", gap.number)).unwrap_or_default();
        _ = writeln!(text, "{:width$}  {gap:5}  {}", scenario.id, scenario.tables.name);
        text
    })
}
