//! `gauntlet schema`: JSON Schemas, for editors of scenario files and for readers of `run.json`.

use clap::{Args, ValueEnum};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which schema to print.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the schema describes
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Subject::Scenario)]
    of: Subject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// A scenario file
    Scenario,
    /// The `run.json` of a report
    Run,
    /// The evidence of a scenario, kept beside a report
    Evidence,
    /// The frames of the chat, protocol `chat.v1`
    Chat,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let schema = match arguments.of {
        Subject::Scenario => scenarios::schema(),
        Subject::Run => scenarios::report::schema(),
        Subject::Evidence => scenarios::evidence::schema(),
        Subject::Chat => server::chat::v1::schema().try_into().map_err(Failure::environment)?,
    };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::environment)?;
    output::print(&format!("{text}\n"));
    Ok(ExitCode::Held)
}
