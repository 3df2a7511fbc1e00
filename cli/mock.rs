//! `gauntlet mock`: mock-deepseek alone, for any client of an LLM API.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::Args;
use mock_deepseek::{Builder, Fault, MockDeepSeek, Script, StartError};
use tokio::runtime::Runtime;

use crate::{exit_code::ExitCode, failure::Failure, logging, output, signal};

/// What the mock plays, and where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Script (TOML): which request gets which reply, faults and pace; watched for new versions
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fault", "profile"])]
    script: Option<PathBuf>,
    /// Named script, such as `mild` for an ordinary day
    #[arg(long, value_name = "NAME", conflicts_with = "fault")]
    profile: Option<String>,
    /// Fault for every request, `ID` or `ID;parameter=value`; may be given more than once
    #[arg(long, value_name = "ID")]
    fault: Vec<String>,
    /// Port of 127.0.0.1 to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
    /// Seed of ids, of the mock's own texts, and of everything that a script leaves to chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let mock = scripted(arguments, MockDeepSeek::builder().seed(arguments.seed).address(address))?;
    logging::start();
    let runtime = Runtime::new().map_err(Failure::environment)?;
    runtime.block_on(async {
        let mock = mock.start().await.map_err(|error| match error {
            StartError::Script(error) => Failure::usage(error),
            other => Failure::environment(other),
        })?;
        output::print(&format!("mock-deepseek listens on {}\n", mock.url()));
        signal::stop().await;
        output::warn(&format!("answered {} requests", mock.journal().len()));
        mock.stop().await;
        Ok(ExitCode::Held)
    })
}

/// Says what is played: a file, a profile, or the same faults always.
fn scripted(arguments: &Arguments, mock: Builder) -> Result<Builder, Failure> {
    Ok(match (&arguments.script, &arguments.profile) {
        (Some(path), _) => mock.script_file(path),
        (None, Some(name)) => mock.script(Script::profile(name).map_err(Failure::usage)?),
        (None, None) => mock.script(Script::with_faults(faults(&arguments.fault)?)),
    })
}

fn faults(words: &[String]) -> Result<Vec<Fault>, Failure> {
    words.iter().map(|word| Fault::parse(word).map_err(Failure::usage)).collect()
}
