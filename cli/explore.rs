//! `gauntlet explore`: search schedules of users, faults and time for one that breaks an invariant.

use std::{fs, io::Write as _, path::PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::explore::{Found, Outcome, Search, explore};
use tokio_util::sync::CancellationToken;

use crate::{exit_code::ExitCode, failure::Failure, output, signal, target};

/// What to search, and where what is found goes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Schedules to try at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    schedules: u32,
    /// Seed of the first schedule; the others follow from it
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Search the back end that this file describes instead of the built-in reference server
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Weaken this part of the built-in server first: a bug that is to be found
    #[arg(long, value_name = "PART", conflicts_with = "target")]
    part: Option<String>,
    /// File for the scenario that shows what was found
    #[arg(long, value_name = "FILE", default_value = "found.toml")]
    into: PathBuf,
}

/// Ends with 1 where something was found.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { schedules, seed, part, into, .. } = arguments;
    let shown = into.display();
    if into.exists() {
        return Err(Failure::usage(format!(
            "`{shown}` is there already\n  hint: choose another file with `--into`"
        )));
    }
    let search = Search {
        schedules: *schedules,
        seed: *seed,
        target: target::wanted(arguments.target.as_deref())?,
        part: part.clone(),
        stop: CancellationToken::new(),
    };
    let outcome = searched(&search)?;
    let told = told(&outcome, *seed);
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
    let command = match (&arguments.target, part) {
        (Some(target), _) => format!("run {shown} --seed {} --target {}", found.seed, target.display()),
        (None, Some(_)) => format!("prove {shown} --seed {}", found.seed),
        (None, None) => format!("run {shown} --seed {}", found.seed),
    };
    output::print(&format!("{told}`{shown}` holds them: gauntlet {command}\n"));
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
fn keep(found: &Found, into: &PathBuf) -> Result<(), Failure> {
    let written =
        fs::File::create_new(into).and_then(|mut file| file.write_all(found.scenario.source.as_bytes()));
    written.map_err(|error| {
        let told = format!("cannot write `{}`", into.display());
        Failure::environment(anyhow::Error::new(error).context(told))
    })
}
