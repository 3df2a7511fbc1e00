//! How the mock serves: addresses, limits, time and log.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use mock_deepseek::{BODY_MAX, Builder, CONNECTIONS_MAX, StartError};

use crate::{
    failure::Failure,
    logging::{self, Format},
};

/// How the mock serves.
#[derive(Debug, Args)]
pub(super) struct Service {
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
    pub(super) grace: u64,
    /// The time: the system's, or one that stands still until the control API advances it
    #[arg(long, value_enum, default_value_t = Time::System)]
    pub(super) clock: Time,
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
pub(super) enum Time {
    System,
    Manual,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Text,
    Json,
    Off,
}

impl Service {
    /// Starts the log, if one is wanted.
    pub(super) fn start_log(&self) {
        match self.log_format {
            None => logging::start(),
            Some(LogFormat::Text) => logging::start_as(Format::Text),
            Some(LogFormat::Json) => logging::start_as(Format::Json),
            Some(LogFormat::Off) => {}
        }
    }

    /// Returns where clients are served.
    pub(super) fn address(&self, port: u16) -> SocketAddr {
        (self.bind, port).into()
    }

    /// Sets addresses and limits.
    pub(super) fn apply(&self, builder: Builder, port: u16) -> Builder {
        let builder =
            builder.address(self.address(port)).connections_max(self.connections_max).body_max(self.body_max);
        match self.control() {
            Some(address) => builder.control(address),
            None => builder,
        }
    }

    /// Says what to do about a mock that could not start.
    pub(super) fn failed(&self, error: StartError) -> Failure {
        match error {
            StartError::Script(error) => Failure::usage(error),
            StartError::Record(error) => Failure::usage(error),
            StartError::NeedsTls(fault) => {
                Failure::usage(format_args!("fault `{fault}` needs TLS; add `--tls`"))
            }
            StartError::Taken(address) if Some(address) == self.control() => {
                Failure::environment(anyhow::anyhow!("{error} (`--control-port 0`)"))
            }
            StartError::Taken(_) | StartError::Listen { .. } => {
                Failure::environment(anyhow::anyhow!("{error} (`--port 0`)"))
            }
        }
    }

    fn control(&self) -> Option<SocketAddr> {
        match self.control_port {
            ControlPort::Off => None,
            ControlPort::Port(port) => Some((self.control_bind, port).into()),
        }
    }
}
