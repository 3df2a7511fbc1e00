//! `gauntlet check`: say what is wrong in scenario files, with line and caret.

use clap::Args;

use crate::{exit_code::ExitCode, output, selection};

/// Which files to check.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Scenario files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

/// Checks every file, also after one that is not valid.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut code = ExitCode::Held;
    for file in &arguments.files {
        match selection::read(file) {
            Ok(scenario) => output::print(&format!("{file}: valid, \"{}\"\n", scenario.tables.name)),
            Err(failure) => {
                output::warn(&failure.text);
                code = failure.code;
            }
        }
    }
    code
}
