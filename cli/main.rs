//! The binary `gauntlet`: parse → build → run → exit code.
//!
//! Results go to standard output, everything else to standard error. Only this package reads the
//! environment, binds ports for the server and listens to signals. Without the feature `lab` the binary
//! is the server alone.

mod admin;
mod command;
mod config;
mod exit_code;
mod failure;
mod logging;
mod output;
mod serve;
mod signal;

#[cfg(feature = "lab")]
mod annotate;
#[cfg(feature = "lab")]
mod check;
#[cfg(feature = "lab")]
mod compare;
#[cfg(feature = "lab")]
mod explore;
#[cfg(feature = "lab")]
mod faults;
#[cfg(feature = "lab")]
mod floor;
#[cfg(feature = "lab")]
mod list;
#[cfg(feature = "lab")]
mod live;
#[cfg(feature = "lab")]
mod load;
#[cfg(feature = "lab")]
mod mock;
#[cfg(feature = "lab")]
mod new;
#[cfg(feature = "lab")]
mod prove;
#[cfg(feature = "lab")]
mod replay;
#[cfg(feature = "lab")]
mod run;
#[cfg(feature = "lab")]
mod schema;
#[cfg(feature = "lab")]
mod selection;
#[cfg(feature = "lab")]
mod show;
#[cfg(feature = "lab")]
mod talk;
#[cfg(feature = "lab")]
mod target;

use std::process;

use clap::Parser;

use command::Cli;

fn main() -> process::ExitCode {
    let code = Cli::parse().wanted().run().unwrap_or_else(|failure| {
        output::warn(&failure.text);
        failure.code
    });
    code.into()
}
