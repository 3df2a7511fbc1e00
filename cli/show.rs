//! `gauntlet show`: one scenario, explained and in full.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use scenarios::Scenario;

use crate::{exit_code::ExitCode, failure::Failure, output, selection, target};

/// Which scenario to show.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the scenario, or a file ending in `.toml`
    #[arg(value_name = "NAME")]
    name: String,
    /// One that fits the target of this file
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let target = target::wanted(arguments.target.as_deref())?;
    let scenarios = selection::select(std::slice::from_ref(&arguments.name), &target)?;
    let shown: Vec<_> = scenarios.iter().map(explain).collect();
    output::print(&shown.join("\n"));
    Ok(ExitCode::Held)
}

fn explain(scenario: &Scenario) -> String {
    let tables = &scenario.tables;
    let mut text = format!("{}: {}\n{}\n\n", scenario.id, tables.name, tables.hypothesis);
    if let Some(gap) = scenario.gap() {
        _ = writeln!(text, "Testing gap  {} ({})", gap.number, gap.feature);
    }
    _ = writeln!(
        text,
        "Features     {}\nTags         {}",
        tables.features.join(", "),
        tables.tags.join(", ")
    );
    for sabotage in &tables.sabotage {
        _ = writeln!(text, "Must fail    {}, caught by `{}`", sabotage.name, sabotage.caught_by.get_ref());
    }
    _ = writeln!(text, "File         {}\n\n{}", scenario.file, scenario.source.trim_end());
    text
}
