//! `gauntlet mock`: mock-deepseek alone, for any client of an LLM API.

mod tape;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use mock_deepseek::{Fault, MockDeepSeek, Script, StartError};
use tokio::runtime::Runtime;

use crate::{exit_code::ExitCode, failure::Failure, output, signal};
use tape::Tape;

/// What the mock plays, and where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Script (TOML): which request gets which reply, faults and pace
    #[arg(long, value_name = "FILE", conflicts_with = "fault")]
    script: Option<PathBuf>,
    /// Fault for every request, `ID` or `ID;parameter=value`; may be given more than once
    #[arg(long, value_name = "ID")]
    fault: Vec<String>,
    /// Port of 127.0.0.1 to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
    /// Seed of ids and of the mock's own texts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    tape: Tape,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let script = match &arguments.script {
        Some(path) => read(path)?,
        None => Script::with_faults(faults(&arguments.fault)?),
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let mock = MockDeepSeek::builder().seed(arguments.seed).script(script).address(address);
    let mock = arguments.tape.thread(mock)?;
    let runtime = Runtime::new().map_err(Failure::environment)?;
    runtime.block_on(async {
        let mock = mock.start().await.map_err(|error| match error {
            StartError::Record(error) => Failure::usage(error),
            error => Failure::environment(error),
        })?;
        output::print(&format!("mock-deepseek listens on {}\n", mock.url()));
        signal::stop().await;
        output::warn(&format!("answered {} requests", mock.journal().len()));
        arguments.tape.report(&mock);
        mock.stop().await;
        Ok(ExitCode::Held)
    })
}

fn faults(words: &[String]) -> Result<Vec<Fault>, Failure> {
    words.iter().map(|word| Fault::parse(word).map_err(Failure::usage)).collect()
}

fn read(path: &Path) -> Result<Script, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the script `{shown}`: {error}")))?;
    Script::from_toml(&text).map_err(|error| Failure::usage(format_args!("`{shown}`: {error}")))
}
