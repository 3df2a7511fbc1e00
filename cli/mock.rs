//! `gauntlet mock`: mock-deepseek alone, for any client of an LLM API.

mod secrecy;
mod service;
mod tape;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use clock::{Clock as _, Lab, SystemClock};
use mock_deepseek::{ApiProfile, Builder, DeadEnd, Fault, Layer, MockDeepSeek, Script};
use tokio::runtime::Runtime;

use self::{
    secrecy::Secrecy,
    service::{Service, Time},
    tape::Tape,
};
use crate::{
    exit_code::ExitCode,
    failure::Failure,
    output,
    signal::{self, Wishes},
};

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
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 4010)]
    port: u16,
    /// Seed of ids, of the mock's own texts, and of everything that a script leaves to chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// State of the API: `current`, or `2025` with its models, limits and wordings
    #[arg(long, value_name = "STATE", default_value = "current")]
    api: ApiProfile,
    #[command(flatten)]
    secrecy: Secrecy,
    #[command(flatten)]
    tape: Tape,
    #[command(flatten)]
    service: Service,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { service, secrecy, .. } = arguments;
    service.start_log();
    let faults = faults(&arguments.fault)?;
    if let [fault] = faults.as_slice()
        && fault.info().layer == Layer::Address
        && !arguments.tape.replays()
    {
        return hold(fault, service.address(arguments.port));
    }
    let tls = secrecy.tls()?;
    let certificate = tls.as_ref().filter(|_| secrecy.is_own()).map(|tls| tls.certificate().to_owned());
    let builder = MockDeepSeek::builder().seed(arguments.seed).api(arguments.api);
    let mut builder = arguments.tape.thread(scripted(arguments, &faults, builder)?)?;
    if let Some(tls) = tls {
        builder = builder.tls(tls);
    }
    builder = service.apply(builder, arguments.port);
    let certificate = certificate.as_deref();
    match service.clock {
        Time::System => {
            let runtime = Runtime::new().map_err(Failure::environment)?;
            runtime.block_on(serve(builder, arguments, certificate, Duration::from_secs(service.grace)))
        }
        Time::Manual => {
            let (runtime, lab) = Lab::new(SystemClock::new().wall()).map_err(Failure::environment)?;
            // A bound on a clock that stands still would never be reached.
            runtime.block_on(serve(builder.lab(&lab), arguments, certificate, Duration::ZERO))
        }
    }
}

/// Serves until it is asked to stop; then answers under way may end, unless it is asked once more.
async fn serve(
    builder: Builder,
    Arguments { service, tape, .. }: &Arguments,
    certificate: Option<&str>,
    grace: Duration,
) -> Result<ExitCode, Failure> {
    let mut wishes = Wishes::listen();
    let mock = builder.start().await.map_err(|error| service.failed(error))?;
    let control = mock.control_url();
    let control = control.map(|url| format!("control API on {url}/__mock/, page on {url}/\n"));
    output::print(&format!("mock-deepseek listens on {}\n{}", mock.url(), control.unwrap_or_default()));
    output::print(certificate.unwrap_or_default());
    wishes.next().await;
    output::warn(&format!("answered {}", output::counted(mock.requests(), "request")));
    tape.report(&mock);
    tokio::select! {
        cut = mock.finish(grace) => {
            if cut > 0 {
                let cut = output::counted(cut, "answer");
                output::warn(&format!("cut {cut} that went on after {} s", grace.as_secs()));
            }
            Ok(ExitCode::Held)
        }
        () = wishes.next() => {
            output::warn("stopped at once, by a second signal");
            Ok(ExitCode::Interrupted)
        }
    }
}

/// Holds the address of a fault before the connection: nobody is answered there.
fn hold(fault: &Fault, address: SocketAddr) -> Result<ExitCode, Failure> {
    let runtime = Runtime::new().map_err(Failure::environment)?;
    runtime.block_on(async {
        let dead_end = DeadEnd::open(fault, address).await.map_err(Failure::environment)?;
        output::print(&format!("{}: point a client at {}\n", fault.info().title, dead_end.url()));
        signal::stop().await;
        Ok(ExitCode::Held)
    })
}

/// Refuses to mix faults of an answer with one before the connection.
fn inside(faults: &[Fault]) -> Result<Vec<Fault>, Failure> {
    faults.iter().map(|fault| fault.clone().inside().map_err(Failure::usage)).collect()
}

fn faults(words: &[String]) -> Result<Vec<Fault>, Failure> {
    words.iter().map(|word| Fault::parse(word).map_err(Failure::usage)).collect()
}

/// Says what is played: a file, a profile, or the same faults always.
fn scripted(arguments: &Arguments, faults: &[Fault], mock: Builder) -> Result<Builder, Failure> {
    Ok(match (&arguments.script, &arguments.profile) {
        (Some(path), _) => mock.script_file(path),
        (None, Some(name)) => mock.script(Script::profile(name).map_err(Failure::usage)?),
        (None, None) => mock.script(Script::with_faults(inside(faults)?)),
    })
}

fn read(what: &str, path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the {what} `{}`: {error}", path.display())))
}
