//! `gauntlet show`: one scenario in plain words, and its file.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use scenarios::{Scenario, prose};

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
    /// Print its file instead
    #[arg(long)]
    source: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let target = target::wanted(arguments.target.as_deref())?;
    let scenarios = selection::select(std::slice::from_ref(&arguments.name), &target)?;
    let show = |scenario: &Scenario| {
        if arguments.source { scenario.source.clone() } else { explain(scenario) }
    };
    output::print(&scenarios.iter().map(show).collect::<Vec<_>>().join("\n"));
    Ok(ExitCode::Held)
}

fn explain(scenario: &Scenario) -> String {
    let (tables, told) = (&scenario.tables, prose::tell(scenario));
    let mut text = format!("{}: {}\n{}\n\n", scenario.id, tables.name, tables.hypothesis);
    if let Some(gap) = scenario.gap() {
        _ = writeln!(text, "Testing gap  {} ({})", gap.number, gap.feature);
    }
    for (name, words) in [
        ("Features", &tables.features),
        ("Tags", &tables.tags),
        ("Needs", &tables.needs),
        ("Settings", &told.settings),
    ] {
        if !words.is_empty() {
            _ = writeln!(text, "{name:<12} {}", words.join(", "));
        }
    }
    _ = writeln!(text, "File         {}", scenario.file);
    part(&mut text, "The model", told.model);
    part(&mut text, "What is done", told.steps);
    let expectations = told.expectations.into_iter().map(|(id, words)| format!("{id}:\n    {words}"));
    part(&mut text, "What must be seen", expectations);
    part(&mut text, "What is taken away to show that it can fail", told.sabotages);
    text
}

fn part(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_some() {
        _ = writeln!(text, "\n{title}");
        lines.for_each(|line| _ = writeln!(text, "  {line}"));
    }
}
