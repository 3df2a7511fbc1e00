//! `gauntlet mock`: mock-deepseek alone, for any client of an LLM API.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use clock::{Clock as _, Lab, SystemClock};
use mock_deepseek::{BODY_MAX, Builder, CONNECTIONS_MAX, Fault, MockDeepSeek, Script, StartError};
use tokio::runtime::Runtime;

use crate::{
    exit_code::ExitCode,
    failure::Failure,
    logging::{self, Format},
    output,
    signal::Wishes,
};

/// What the mock plays, and where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Script (TOML): which request gets which reply, faults and pace
    #[arg(long, value_name = "FILE", conflicts_with = "fault")]
    script: Option<PathBuf>,
    /// Fault for every request, `ID` or `ID;parameter=value`; may be given more than once
    #[arg(long, value_name = "ID")]
    fault: Vec<String>,
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
    /// Seed of ids and of the mock's own texts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    service: Service,
}

/// How the mock serves.
#[derive(Debug, Args)]
struct Service {
    /// Address to listen on; 0.0.0.0 lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,
    /// Port of the control API and of the live log; 0 takes a free one, `off` leaves it out
    #[arg(long, value_name = "PORT", default_value = "4011")]
    control_port: ControlPort,
    /// Address of the control API; whoever reaches it can change what the mock plays
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    control_bind: IpAddr,
    /// Most connections at once; further ones wait
    #[arg(long, value_name = "NUMBER", default_value_t = CONNECTIONS_MAX, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    connections_max: usize,
    /// Longest request body; a longer one is refused with 413
    #[arg(long, value_name = "BYTES", default_value_t = BODY_MAX)]
    body_max: usize,
    /// How long answers under way may go on after the wish to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
    /// The time: the system's, or one that stands still until the control API advances it
    #[arg(long, value_enum, default_value_t = Time::System)]
    clock: Time,
    /// How requests are logged on standard error; `LOG_FORMAT` decides when it is left out
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

/// Where the control API listens.
#[derive(Clone, Copy, Debug)]
enum ControlPort {
    Off,
    Port(u16),
}

impl FromStr for ControlPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => {
                text.parse().map(Self::Port).map_err(|_| "write a port from 0 to 65535, or `off`".to_owned())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Time {
    System,
    Manual,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
    Off,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let service = &arguments.service;
    match service.log_format {
        None => logging::start(),
        Some(LogFormat::Text) => logging::start_as(Format::Text),
        Some(LogFormat::Json) => logging::start_as(Format::Json),
        Some(LogFormat::Off) => {}
    }
    let builder = service.apply(playing(arguments)?.seed(arguments.seed), arguments.port);
    match service.clock {
        Time::System => {
            let runtime = Runtime::new().map_err(Failure::environment)?;
            runtime.block_on(serve(builder, service, Duration::from_secs(service.grace)))
        }
        Time::Manual => {
            let (runtime, lab) = Lab::new(SystemClock::new().wall()).map_err(Failure::environment)?;
            // A bound on a clock that stands still would never be reached.
            runtime.block_on(serve(builder.lab(&lab), service, Duration::ZERO))
        }
    }
}

/// Begins a mock that plays what was asked for.
fn playing(arguments: &Arguments) -> Result<Builder, Failure> {
    let builder = MockDeepSeek::builder();
    match &arguments.script {
        Some(path) => {
            let wrong = |error| Failure::usage(format_args!("`{}`: {error}", path.display()));
            builder.script_text(&read(path)?).map_err(wrong)
        }
        None if arguments.fault.is_empty() => Ok(builder),
        None => Ok(builder.script(Script::with_faults(faults(&arguments.fault)?))),
    }
}

impl Service {
    fn apply(&self, builder: Builder, port: u16) -> Builder {
        let builder = builder
            .address((self.bind, port).into())
            .connections_max(self.connections_max)
            .body_max(self.body_max);
        match self.control() {
            Some(address) => builder.control(address),
            None => builder,
        }
    }

    fn control(&self) -> Option<SocketAddr> {
        match self.control_port {
            ControlPort::Off => None,
            ControlPort::Port(port) => Some((self.control_bind, port).into()),
        }
    }

    /// Says which option moves a port that is taken.
    fn failed(&self, error: &StartError) -> Failure {
        let option = match error {
            StartError::Taken(address) if Some(*address) == self.control() => "control-port",
            _ => "port",
        };
        Failure::environment(anyhow::anyhow!("{error} (`--{option} 0`)"))
    }
}

/// Serves until it is asked to stop; then answers under way may end, unless it is asked once more.
async fn serve(builder: Builder, service: &Service, grace: Duration) -> Result<ExitCode, Failure> {
    let mut wishes = Wishes::listen();
    let mock = builder.start().await.map_err(|error| service.failed(&error))?;
    let control = mock.control_url();
    let control = control.map(|url| format!("control API on {url}/__mock/, page on {url}/\n"));
    output::print(&format!("mock-deepseek listens on {}\n{}", mock.url(), control.unwrap_or_default()));
    wishes.next().await;
    output::warn(&format!("answered {} requests", mock.journal().len()));
    tokio::select! {
        cut = mock.finish(grace) => {
            if cut > 0 {
                output::warn(&format!("cut {cut} answers that were under way after {} s", grace.as_secs()));
            }
            Ok(ExitCode::Held)
        }
        () = wishes.next() => {
            output::warn("stopped at once, by a second signal");
            Ok(ExitCode::Interrupted)
        }
    }
}

fn faults(words: &[String]) -> Result<Vec<Fault>, Failure> {
    words.iter().map(|word| Fault::parse(word).map_err(Failure::usage)).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the script `{}`: {error}", path.display())))
}
