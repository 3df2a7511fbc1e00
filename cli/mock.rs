//! `gauntlet mock`: mock-deepseek alone, for any client of an LLM API.

mod tape;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use mock_deepseek::{ApiProfile, Builder, DeadEnd, Fault, Layer, MockDeepSeek, Script, StartError, Tls};
use tokio::runtime::Runtime;

use crate::{exit_code::ExitCode, failure::Failure, logging, output, signal};
use tape::Tape;

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
    /// State of the API: `current`, or `2025` with its models, limits and wordings
    #[arg(long, value_name = "STATE", default_value = "current")]
    api: ApiProfile,
    #[command(flatten)]
    secrecy: Secrecy,
    #[command(flatten)]
    tape: Tape,
}

/// Whether clients come under TLS.
#[derive(Debug, Args)]
struct Secrecy {
    /// Serve under TLS with a certificate made for localhost, which is printed for clients to trust
    #[arg(long)]
    tls: bool,
    /// Serve under TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let faults = faults(&arguments.fault)?;
    match faults.as_slice() {
        [fault] if fault.info().layer == Layer::Address => return hold(fault, address),
        _ => {}
    }
    let mock = MockDeepSeek::builder().seed(arguments.seed).api(arguments.api).address(address);
    let mut mock = arguments.tape.thread(scripted(arguments, &faults, mock)?)?;
    let tls = arguments.secrecy.tls()?;
    if let Some(tls) = &tls {
        mock = mock.tls(tls.clone());
    }
    logging::start();
    let runtime = Runtime::new().map_err(Failure::environment)?;
    runtime.block_on(async {
        let mock = mock.start().await.map_err(|error| match error {
            StartError::Script(error) => Failure::usage(error),
            StartError::Record(error) => Failure::usage(error),
            StartError::NeedsTls(fault) => {
                Failure::usage(format_args!("fault `{fault}` needs TLS; add `--tls`"))
            }
            other => Failure::environment(other),
        })?;
        output::print(&format!("mock-deepseek listens on {}\n", mock.url()));
        if let Some(own) = tls.filter(|_| arguments.secrecy.tls) {
            output::print(own.certificate());
        }
        signal::stop().await;
        output::warn(&format!("answered {} requests", mock.journal().len()));
        arguments.tape.report(&mock);
        mock.stop().await;
        Ok(ExitCode::Held)
    })
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

impl Secrecy {
    fn tls(&self) -> Result<Option<Tls>, Failure> {
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Tls::from_pem(&read("certificate", certificate)?, &read("key", key)?)
            }
            _ if self.tls => Tls::own(),
            _ => return Ok(None),
        };
        tls.map(Some).map_err(Failure::usage)
    }
}

fn read(what: &str, path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format_args!("cannot read the {what} `{}`: {error}", path.display())))
}
