//! `gauntlet run --explore`: search schedules of users, faults and time for one that breaks an invariant.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::explore::{Found, Outcome, Search, explore};
use tokio_util::sync::CancellationToken;

use crate::{exit_code::ExitCode, failure::Failure, output, signal, target};

/// Where what is found goes, if nothing else is said.
const FOUND: &str = "found.toml";

/// What to search for, and where what is found goes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Search")]
#[group(id = "search")]
pub(crate) struct Arguments {
    /// Draw so many schedules of users, faults and time, until one breaks an invariant
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with_all = ["names", "repeat", "report", "format", "annotate", "fail_fast", "jobs"]
    )]
    explore: Option<u32>,
    /// Weaken this part of the built-in server first: a bug that is to be found
    #[arg(long, value_name = "PART", conflicts_with = "target")]
    part: Option<String>,
    /// File for the scenario that shows what was found [default: found.toml]
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

impl Arguments {
    /// Says whether a search is wanted; what belongs to one is wrong without it.
    pub(crate) fn are_given(&self) -> Result<bool, Failure> {
        let lonely = [(self.part.is_some(), "--part"), (self.into.is_some(), "--into")];
        match lonely.iter().find(|(is_given, _)| *is_given && self.explore.is_none()) {
            None => Ok(self.explore.is_some()),
            Some((_, option)) => Err(Failure::usage(format!(
                "`{option}` is for a search\n  hint: add `--explore 100`, and name no scenario"
            ))),
        }
    }
}

/// Ends with 1 where something was found.
pub(crate) fn run(arguments: &Arguments, target: Option<&Path>, seed: u64) -> Result<ExitCode, Failure> {
    let into = arguments.into.as_deref().unwrap_or(Path::new(FOUND));
    let shown = into.display();
    if into.exists() {
        return Err(Failure::usage(format!(
            "`{shown}` is there already\n  hint: choose another file with `--into`"
        )));
    }
    let search = Search {
        schedules: arguments.explore.unwrap_or_default(),
        seed,
        target: target::wanted(target)?,
        part: arguments.part.clone(),
        stop: CancellationToken::new(),
    };
    let outcome = searched(&search)?;
    let told = told(&outcome, seed);
    let Some(found) = &outcome.found else {
        output::print(&told);
        if search.stop.is_cancelled() {
            output::warn("interrupted");
            return Ok(ExitCode::Interrupted);
        }
        // What most schedules did not show is not shown.
        let is_shown = outcome.unjudged.len() * 2 <= outcome.tried as usize;
        return Ok(if is_shown { ExitCode::Held } else { ExitCode::Inconclusive });
    };
    keep(found, into)?;
    let verb = if search.part.is_some() { "prove" } else { "run" };
    let at = target.map(|path| format!(" --target {}", path.display())).unwrap_or_default();
    output::print(&format!(
        "{told}`{shown}` holds them: gauntlet {verb} {shown} --seed {}{at}\n",
        found.seed
    ));
    Ok(ExitCode::Failed)
}

/// Searches, and stops at a signal.
fn searched(search: &Search) -> Result<Outcome, Failure> {
    let bar = ProgressBar::with_draw_target(Some(search.schedules.into()), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} schedules") {
        bar.set_style(style.progress_chars("━╸ "));
    }
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::environment)?;
    let stop = search.stop.clone();
    runtime.spawn(async move {
        signal::stop().await;
        stop.cancel();
    });
    let outcome = explore(search, &|number| bar.set_position(number.into()));
    bar.finish_and_clear();
    runtime.shutdown_background();
    outcome.map_err(|error| Failure::invalid(*error))
}

fn told(outcome: &Outcome, seed: u64) -> String {
    let Outcome { tried, unjudged, found } = outcome;
    let left = unjudged.first().map(|(seed, reason)| {
        format!("; {} could not be judged, as that of seed {seed}: {reason}", unjudged.len())
    });
    let left = left.unwrap_or_default();
    match found {
        None => {
            let judged = *tried as usize - unjudged.len();
            format!("every invariant held in {judged} of {tried} schedules from seed {seed}{left}\n")
        }
        Some(Found { schedule, drawn, steps, check, .. }) => format!(
            "schedule {schedule} from seed {seed} breaks `{}`: {}\n{steps} of its {drawn} steps are needed; ",
            check.id, check.observed
        ),
    }
}

/// Writes what was found, and never over something else.
fn keep(found: &Found, into: &Path) -> Result<(), Failure> {
    let written =
        fs::File::create_new(into).and_then(|mut file| file.write_all(found.scenario.source.as_bytes()));
    written.map_err(|error| {
        let told = format!("cannot write `{}`", into.display());
        Failure::environment(anyhow::Error::new(error).context(told))
    })
}
