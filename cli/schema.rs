//! `gauntlet schema`: JSON Schemas, for editors of scenario files and for readers of `run.json`, and what the reference server
//! speaks, for those who write clients of it.

use clap::{Args, ValueEnum};
use serde_json::Value;

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
    /// The `load.json` of a load of users
    #[cfg(feature = "lab")]
    Load,
    /// The frames of the chat, protocol `chat.v1`
    Chat,
    /// The socket of the chat with both protocols, as AsyncAPI
    Socket,
    /// The REST API, as OpenAPI
    Api,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let schema: Value = match arguments.of {
        Subject::Scenario => scenarios::schema().into(),
        Subject::Run => scenarios::report::schema().into(),
        Subject::Evidence => scenarios::evidence::schema().into(),
        #[cfg(feature = "lab")]
        Subject::Load => loadtest::crowd::report::schema().into(),
        Subject::Chat => server::chat::v1::schema(),
        Subject::Socket => server::chat::asyncapi::document(),
        Subject::Api => server::api::document().map_err(Failure::environment)?,
    };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::environment)?;
    output::print(&format!("{text}\n"));
    Ok(ExitCode::Held)
}
