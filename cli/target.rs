//! `gauntlet target`: describe somebody's back end in a file, and see whether it can be judged.

mod init;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use scenarios::{Finding, Target, TargetFile, check_target};
use tokio::runtime::Runtime;

use crate::{exit_code::ExitCode, failure::Failure, output, signal};

/// What to do about targets.
#[derive(Debug, Subcommand)]
pub(crate) enum Wish {
    /// Write a commented target file for your back end, by flags or by asking
    Init(init::Arguments),
    /// Look step by step whether your back end can be judged: reachable, sign-in, chat, one turn, model
    Check {
        /// The target file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(crate) fn run(wish: &Wish) -> Result<ExitCode, Failure> {
    match wish {
        Wish::Init(arguments) => init::run(arguments),
        Wish::Check { file } => match load(file)? {
            Target::External(file) => check(&file),
            Target::Builtin => Ok(ExitCode::Held),
        },
    }
}

/// Reads a target file, with secrets from the environment.
#[expect(clippy::disallowed_methods, reason = "the CLI reads the environment")]
pub(crate) fn load(path: &Path) -> Result<Target, Failure> {
    Target::load(path, &|name| std::env::var(name).ok()).map_err(Failure::usage)
}

/// Reads the target file that was named, if one was; else the built-in target is meant.
pub(crate) fn wanted(path: Option<&Path>) -> Result<Target, Failure> {
    path.map_or(Ok(Target::Builtin), load)
}

fn check(file: &TargetFile) -> Result<ExitCode, Failure> {
    let runtime = Runtime::new().map_err(Failure::environment)?;
    let code = runtime.block_on(async {
        let mut tell = |finding| output::print(&line(&finding));
        match check_target(file, &mut tell, signal::stop()).await {
            Some(true) => ExitCode::Held,
            Some(false) => ExitCode::Failed,
            None => ExitCode::Interrupted,
        }
    });
    if code == ExitCode::Held {
        output::print(&format!("`{}` can be judged: gauntlet run --target FILE\n", file.name));
    }
    Ok(code)
}

fn line(finding: &Finding) -> String {
    let Finding { step, told, hint } = finding;
    let mark = if finding.is_fine() { "ok  " } else { "FAIL" };
    let hint = hint.map(|hint| format!("  hint: {hint}\n")).unwrap_or_default();
    format!("{mark}  {step:8} {told}\n{hint}")
}
