//! What can be asked on the command line; each command has a file of its own.

use clap::{Parser, Subcommand};

use crate::{admin, config, exit_code::ExitCode, failure::Failure, serve};
#[cfg(feature = "lab")]
use crate::{
    check, compare, faults, floor, list, load, mock, new, prove, replay, run, schema, show, talk, target,
};

/// Proves that an LLM chat back end survives its LLM, its users and its own infrastructure
#[derive(Debug, Parser)]
#[command(name = "gauntlet", version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Without a command, `gauntlet` does what `gauntlet run` does.

Exit codes: 0 all held · 1 an expectation failed · 2 wrong usage or an invalid file · 3 inconclusive ·
4 the harness or its environment broke · 130 interrupted. Over many scenarios the worst wins.";

impl Cli {
    /// Returns the command that was asked for, or the main job of the program.
    pub(crate) fn wanted(self) -> Command {
        self.command.unwrap_or_default()
    }
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and judge the target, or search for a scenario that it fails
    #[cfg(feature = "lab")]
    Run(run::Wanted),
    /// Show that each scenario fails when its protection is taken away
    #[cfg(feature = "lab")]
    Prove(run::Arguments),
    /// Compare two reports: what became worse, better, new, gone
    #[cfg(feature = "lab")]
    Compare(compare::Arguments),
    /// Judge the evidence of a report again
    #[cfg(feature = "lab")]
    Replay(replay::Arguments),
    /// Write a scenario to start from
    #[cfg(feature = "lab")]
    New(new::Arguments),
    /// List the scenarios
    #[cfg(feature = "lab")]
    List(list::Arguments),
    /// Explain one scenario in plain words
    #[cfg(feature = "lab")]
    Show(show::Arguments),
    /// Check scenario files
    #[cfg(feature = "lab")]
    Check(check::Arguments),
    /// Print a JSON Schema, for editors and readers
    #[cfg(feature = "lab")]
    Schema(schema::Arguments),
    /// Describe your own back end, and see whether it can be judged
    #[cfg(feature = "lab")]
    #[command(subcommand)]
    Target(target::Wish),
    /// Look up the faults that mock-deepseek can play
    #[cfg(feature = "lab")]
    Faults(faults::Arguments),
    /// Run mock-deepseek alone
    #[cfg(feature = "lab")]
    Mock(mock::Arguments),
    /// Measure what a target carries, beside its floor
    #[cfg(feature = "lab")]
    Load(load::Arguments),
    /// Play a recording to everybody: the floor of `load`
    #[cfg(feature = "lab")]
    #[command(hide = true)]
    Floor,
    /// Talk to a server over its WebSocket
    #[cfg(feature = "lab")]
    Talk(talk::Arguments),
    /// Run the reference server alone
    Serve(serve::Arguments),
    /// Make an administrator, or help one out
    #[command(subcommand)]
    Admin(admin::Wish),
    /// Show or check the settings of the server
    Config(config::Arguments),
}

impl Default for Command {
    #[cfg(feature = "lab")]
    fn default() -> Self {
        Self::Run(run::Wanted::default())
    }

    #[cfg(not(feature = "lab"))]
    fn default() -> Self {
        Self::Serve(serve::Arguments::default())
    }
}

impl Command {
    /// Does what was asked for.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            #[cfg(feature = "lab")]
            Self::Run(arguments) => run::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Prove(arguments) => prove::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Compare(arguments) => compare::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Replay(arguments) => replay::run(&arguments),
            #[cfg(feature = "lab")]
            Self::New(arguments) => new::run(&arguments),
            #[cfg(feature = "lab")]
            Self::List(arguments) => list::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Show(arguments) => show::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Check(arguments) => Ok(check::run(&arguments)),
            #[cfg(feature = "lab")]
            Self::Schema(arguments) => schema::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Target(wish) => target::run(&wish),
            #[cfg(feature = "lab")]
            Self::Faults(arguments) => faults::run(arguments),
            #[cfg(feature = "lab")]
            Self::Mock(arguments) => mock::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Load(arguments) => load::run(&arguments),
            #[cfg(feature = "lab")]
            Self::Floor => floor::run(),
            #[cfg(feature = "lab")]
            Self::Talk(arguments) => talk::run(&arguments),
            Self::Serve(arguments) => serve::run(&arguments),
            Self::Admin(wish) => admin::run(&wish),
            Self::Config(arguments) => config::run(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    #[cfg(feature = "lab")]
    fn no_command_is_the_main_job() {
        let bare = Cli::parse_from(["gauntlet"]).wanted();
        let run = Cli::parse_from(["gauntlet", "run"]).wanted();

        assert_eq!(format!("{bare:?}"), format!("{run:?}"));
    }
}
