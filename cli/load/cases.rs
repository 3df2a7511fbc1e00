//! A profile with cases: requests and streams beside their floor.

use std::{
    env,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::Arc,
};

use clap::Args;
use clock::SystemClock;
use loadtest::{Options, Profile, RecordingError, RunError, Target, table};
use tokio::runtime;

use crate::{exit_code::ExitCode, failure::Failure, output, signal};

/// What concerns cases alone.
#[derive(Debug, Args)]
#[command(next_help_heading = "Profiles with cases")]
#[group(id = "cases")]
pub(super) struct Arguments {
    /// Only these cases of the profile
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    case: Vec<String>,
    /// Process of the target, for its processor time and memory
    #[arg(long, value_name = "ID", requires = "target")]
    pid: Option<u32>,
    /// Measure again with so many rules in the mock's script that match nothing
    #[arg(long, value_name = "NUMBER", conflicts_with = "target",
          value_parser = clap::value_parser!(u16).range(..=10_000))]
    rules: Option<u16>,
    /// Core of the target and core of the client; the first two when left out
    #[arg(long, value_name = "TARGET,CLIENT", value_parser = cores)]
    cores: Option<[usize; 2]>,
}

impl Arguments {
    /// Returns an option that was given, if one was.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            (!self.case.is_empty(), "--case"),
            (self.pid.is_some(), "--pid"),
            (self.rules.is_some(), "--rules"),
            (self.cores.is_some(), "--cores"),
        ];
        given.into_iter().find_map(|(given, option)| given.then_some(option))
    }
}

fn cores(text: &str) -> Result<[usize; 2], String> {
    let parsed: Option<Vec<usize>> = text.split(',').map(|core| core.trim().parse().ok()).collect();
    parsed
        .and_then(|cores| cores.try_into().ok())
        .ok_or_else(|| "write two numbers, such as `0,1`".to_owned())
}

pub(super) fn run(arguments: &super::Arguments, text: &str) -> Result<ExitCode, Failure> {
    let mut profile = Profile::parse(&arguments.profile, text).map_err(Failure::usage)?;
    profile.keep(&arguments.cases.case).map_err(Failure::usage)?;
    if arguments.show {
        output::print(text);
        return Ok(ExitCode::Held);
    }
    if let Some(duration) = arguments.duration {
        profile.measure_for(duration);
    }
    let options = options(arguments)?;
    // One thread: it is bound to the client's core, and all that it starts stays there.
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::environment)?;
    let report = runtime.block_on(async {
        let mut wishes = signal::Wishes::listen();
        tokio::select! {
            report = Box::pin(loadtest::run(&profile, &options)) => Some(report),
            // The run is dropped here, and its children with it.
            () = wishes.next() => None,
        }
    });
    match report {
        None => Ok(ExitCode::Interrupted),
        Some(report) => {
            let report = report.map_err(failed)?;
            super::tell(arguments.json.as_deref(), (&table::render(&report), &report.json()))?;
            Ok(super::code(report.outcome()))
        }
    }
}

fn options(arguments: &super::Arguments) -> Result<Options, Failure> {
    let target = match &arguments.target {
        None => Target::Mock,
        Some(url) => Target::Running { address: address(url)?, process: arguments.cases.pid },
    };
    Ok(Options {
        clock: Arc::new(SystemClock::new()),
        program: env::current_exe().map_err(Failure::environment)?.into(),
        target,
        rules: arguments.cases.rules.unwrap_or(0).into(),
        cores: arguments.cases.cores,
        profile: arguments.profile.clone(),
        command: env::args().collect::<Vec<_>>().join(" "),
        listener: output::warn,
    })
}

/// Returns where a base URL leads: the path is the profile's matter.
fn address(url: &str) -> Result<SocketAddr, Failure> {
    let wrong =
        || Failure::usage(format_args!("`{url}` is no target: write `http://HOST:PORT`, without a path"));
    let host = url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
    let mut addresses = host.to_socket_addrs().map_err(|_| wrong())?;
    addresses.next().ok_or_else(wrong)
}

fn failed(error: RunError) -> Failure {
    match error {
        RunError::Machine(error) => Failure::usage(error),
        // It answers, and not as it should: that is a verdict.
        RunError::Recording(error @ RecordingError::Broken { .. }) => {
            Failure { code: ExitCode::Failed, ..Failure::usage(error) }
        }
        error => Failure::environment(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_url_without_a_path() {
        assert_eq!(address("http://127.0.0.1:4010/").unwrap(), SocketAddr::from(([127, 0, 0, 1], 4010)));
        for url in
            ["127.0.0.1:4010", "https://127.0.0.1:4010", "http://127.0.0.1", "http://127.0.0.1:4010/v1"]
        {
            assert!(address(url).unwrap_err().text.contains("without a path"), "{url}");
        }
    }

    #[test]
    fn two_cores_are_two_numbers() {
        assert_eq!(cores("0, 1"), Ok([0, 1]));
        assert!(cores("0").is_err() && cores("0,1,2").is_err() && cores("a,b").is_err());
    }
}
