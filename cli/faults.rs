//! `gauntlet faults`: the catalogue, with the bytes and the sources.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use mock_deepseek::{Fault, FaultInfo, FaultKind, Layer, catalogue};

use crate::{exit_code::ExitCode, failure::Failure, output};

/// Which faults to tell about.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Default, Subcommand)]
enum Action {
    /// List all faults
    #[default]
    List,
    /// Explain a fault: what goes over the wire, what it broke, where it was seen
    Show {
        /// Id of the fault, or `ID;parameter=value` to see other bytes
        #[arg(value_name = "ID")]
        fault: String,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.action.unwrap_or_default() {
        Action::List => output::print(&list()),
        Action::Show { fault } => output::print(&show(&Fault::parse(&fault).map_err(Failure::usage)?)),
    }
    Ok(ExitCode::Held)
}

fn list() -> String {
    let width = catalogue().iter().map(|fault| fault.id.len()).max().unwrap_or_default();
    catalogue().iter().fold(String::new(), |mut text, fault| {
        _ = writeln!(text, "{:width$}  {:10}  {}", fault.id, kind(fault), fault.title);
        text
    })
}

fn show(fault: &Fault) -> String {
    let info = fault.info();
    let mut text = format!("{}: {}\n\n", info.id, info.title);
    let duty = match info.kind {
        FaultKind::Legitimate => "legitimate: a sound client must succeed",
        FaultKind::Failure => "failure: a sound client must notice",
    };
    _ = writeln!(text, "Kind      {duty}\nWire      {}\nBroke     {}", info.wire, info.broke);
    for source in &info.sources {
        _ = writeln!(text, "Seen at   {source}");
    }
    for (name, parameter) in &info.parameters {
        let (default, unit) = (&parameter.default, &parameter.unit);
        _ = writeln!(text, "Parameter {name} = {default} ({unit}): {}", parameter.about);
    }
    let heading = if info.layer == Layer::Address {
        format!("Point a client at what `gauntlet mock --fault {}` prints, and it sees", info.id)
    } else {
        "Bytes of a sample answer".to_owned()
    };
    _ = write!(text, "\n{heading}\n\n{}", mock_deepseek::transcript(std::slice::from_ref(fault)));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

const fn kind(fault: &FaultInfo) -> &'static str {
    match fault.kind {
        FaultKind::Legitimate => "legitimate",
        FaultKind::Failure => "failure",
    }
}
