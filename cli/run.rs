//! `gauntlet run`: run scenarios, show the verdicts, write the reports; or search for a scenario that the target fails.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::Args;
use clock::{Clock as _, SystemClock, Timestamp};
use scenarios::{
    Options, Scenario, Target, evidence,
    report::{self, Format, terminal},
    result::{Progress, Run, SCHEMA_VERSION},
};
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    annotate, exit_code::ExitCode, explore, failure::Failure, live::Live, output, selection, signal::Wishes,
    target,
};

/// Scenarios to run, or a search for one.
#[derive(Debug, Default, Args)]
pub(crate) struct Wanted {
    #[command(flatten)]
    scenarios: Arguments,
    #[command(flatten)]
    search: explore::Arguments,
}

/// Which scenarios, against what, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    /// Scenarios by name, tag or feature row, or files ending in `.toml`; all if none is given
    #[arg(value_name = "NAME|TAG|FILE")]
    names: Vec<String>,
    /// Judge the back end that this file describes instead of the built-in reference server
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    seed: u64,
    /// Run each scenario so many times
    #[arg(long, value_name = "TIMES", default_value_t = NonZeroU32::MIN)]
    repeat: NonZeroU32,
    /// Folder of the report [default: `target/gauntlet/report`, for a proof `target/gauntlet/proof`]
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Forms to write: json, junit, markdown, html; json always is [default: all]
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    format: Vec<Format>,
    /// Tell a CI system what did not hold, in its own commands
    #[arg(long, value_enum, value_name = "SYSTEM", default_value_t = annotate::Wish::Auto)]
    annotate: annotate::Wish,
    /// Stop after the first scenario that does not pass
    #[arg(long)]
    fail_fast: bool,
    /// Scenarios that run at the same time [default: one a core]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
}

/// So long a run that was interrupted may take to end in order: more than a target may take to end when it is asked to,
/// which is then killed.
const ORDERLY_MAX: Duration = Duration::from_secs(10);

/// The seed when none is given: two runs are alike unless somebody wants them to differ.
const SEED: u64 = 1;

impl Default for Arguments {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            target: None,
            seed: SEED,
            repeat: NonZeroU32::MIN,
            report: None,
            format: Vec::new(),
            annotate: annotate::Wish::Auto,
            fail_fast: false,
            jobs: None,
        }
    }
}

/// Whether scenarios are to hold, or to be shown able to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Run them on the sound target.
    Judge,
    /// Run them on the sound target and on its sabotaged twins.
    Prove,
}

impl Aim {
    const fn folder(self) -> &'static str {
        match self {
            Self::Judge => "target/gauntlet/report",
            Self::Prove => "target/gauntlet/proof",
        }
    }
}

pub(crate) fn run(wanted: &Wanted) -> Result<ExitCode, Failure> {
    let Wanted { scenarios, search } = wanted;
    if search.are_given()? {
        return explore::run(search, scenarios.target.as_deref(), scenarios.seed);
    }
    execute(scenarios, Aim::Judge)
}

/// Runs the scenarios, prints the verdicts and writes the report, also when it is interrupted.
pub(crate) fn execute(arguments: &Arguments, aim: Aim) -> Result<ExitCode, Failure> {
    let job = Job::new(arguments, aim)?;
    let clock = SystemClock::new();
    let began = clock.now();
    let scenarios = job.scenarios.clone();
    let nothing = Run { settings: job.target.settings().0, ..blank(arguments, &job.options, clock.wall()) };
    let live = Arc::new(Live::new(output::side_screen()));

    let ended = interruptible(job, Arc::clone(&live))?;

    live.close();
    let Some(run) = ended else {
        let elapsed_ms = u64::try_from(clock.now().since(began).as_millis()).unwrap_or(u64::MAX);
        let (judged, proof) = live.known();
        let known = Run { elapsed_ms, scenarios: judged, proof, ..nothing };
        publish(&scenarios::planned(&scenarios, known), arguments, aim)?;
        output::warn("interrupted; the report holds what was known");
        return Ok(ExitCode::Interrupted);
    };
    publish(&run, arguments, aim)?;
    Ok(ExitCode::of(&run))
}

/// Everything that a run needs, checked.
struct Job {
    aim: Aim,
    scenarios: Vec<Scenario>,
    target: Target,
    options: Options,
}

impl Job {
    fn new(arguments: &Arguments, aim: Aim) -> Result<Self, Failure> {
        let target = target::wanted(arguments.target.as_deref())?;
        if aim == Aim::Prove && !matches!(target, Target::Builtin) {
            return Err(Failure::usage(
                "only the built-in server can be weakened\n  hint: run `prove` without `--target`",
            ));
        }
        let scenarios = selection::select(&arguments.names, &target)?;
        let evidence = Some(folder(arguments, aim).join(evidence::FOLDER));
        Ok(Self { aim, scenarios, target, options: Options { evidence, ..options(arguments) } })
    }

    fn run(&self, live: &Live) -> Run {
        let on = |progress: Progress| live.show(progress);
        match self.aim {
            Aim::Judge => scenarios::run(&self.scenarios, &self.target, &self.options, &on),
            Aim::Prove => scenarios::prove(&self.scenarios, &self.options, &on),
        }
    }
}

/// Runs to the end, or returns nothing when the process was asked to stop.
fn interruptible(job: Job, live: Arc<Live>) -> Result<Option<Run>, Failure> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::environment)?;
    let ended = runtime.block_on(async {
        let (mut wishes, stop) = (Wishes::listen(), job.options.stop.clone());
        let mut running = tokio::task::spawn_blocking(move || job.run(&live));
        tokio::select! {
            run = &mut running => return run.map(Some),
            () = wishes.next() => stop.cancel(),
        }
        // A target that was started here must not outlive the run.
        tokio::select! {
            _ = running => {}
            () = SystemClock::new().sleep(ORDERLY_MAX) => {}
            () = wishes.next() => {}
        }
        Ok(None)
    });
    // A run that was interrupted may be in the middle of a wait; the end of the process ends it.
    runtime.shutdown_background();
    ended.map_err(|error| Failure::environment(anyhow::Error::new(error).context("the harness broke")))
}

/// Prints the verdicts and writes the files.
fn publish(run: &Run, arguments: &Arguments, aim: Aim) -> Result<(), Failure> {
    output::print(&terminal::render(run, output::screen()));
    let folder = folder(arguments, aim);
    let formats = if arguments.format.is_empty() { &Format::ALL[..] } else { &arguments.format };
    let files = report::write(run, &folder, formats).map_err(Failure::environment)?;
    let last = files.last().map(|file| file.display().to_string()).unwrap_or_default();
    output::warn(&format!("report: {last}"));
    annotate::tell(arguments.annotate, run, &files);
    Ok(())
}

fn folder(arguments: &Arguments, aim: Aim) -> PathBuf {
    arguments.report.clone().unwrap_or_else(|| PathBuf::from(aim.folder()))
}

fn options(arguments: &Arguments) -> Options {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Options {
        seed: arguments.seed,
        jobs: arguments.jobs.unwrap_or(cores).get(),
        repeat: arguments.repeat.get(),
        fail_fast: arguments.fail_fast,
        target: arguments.target.as_ref().map(|path| path.display().to_string()),
        command: command_line(std::env::args().skip(1), arguments.seed),
        evidence: None,
        stop: CancellationToken::new(),
    }
}

/// Returns the command that repeats this run: what was typed, with the seed named.
fn command_line(typed: impl Iterator<Item = String>, seed: u64) -> String {
    let mut words: Vec<_> = std::iter::once("gauntlet".to_owned()).chain(typed.map(quoted)).collect();
    if words.len() == 1 {
        words.push("run".to_owned());
    }
    if !words.iter().any(|word| word == "--seed" || word.starts_with("--seed=")) {
        words.push(format!("--seed {seed}"));
    }
    words.join(" ")
}

/// Puts a word in quotes if a shell would split it.
fn quoted(word: String) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_=./:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Returns a run of which nothing is known yet, not even the target's settings.
fn blank(arguments: &Arguments, options: &Options, started_at: Timestamp) -> Run {
    let target =
        arguments.target.as_ref().map_or_else(|| "builtin".to_owned(), |path| path.display().to_string());
    Run {
        schema_version: SCHEMA_VERSION,
        tool: concat!("gauntlet ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: options.command.clone(),
        seed: options.seed,
        target,
        settings: BTreeMap::new(),
        started_at: started_at.to_string(),
        elapsed_ms: 0,
        planned: 0,
        unjudged: Vec::new(),
        scenarios: Vec::new(),
        proof: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &[&str]) -> String {
        command_line(words.iter().map(|word| (*word).to_owned()), 7)
    }

    #[test]
    fn the_command_that_repeats_a_run_names_the_seed() {
        assert_eq!(typed(&[]), "gauntlet run --seed 7");
        assert_eq!(typed(&["run", "flood"]), "gauntlet run flood --seed 7");
        assert_eq!(typed(&["run", "--seed", "9"]), "gauntlet run --seed 9");
        assert_eq!(typed(&["run", "--seed=9"]), "gauntlet run --seed=9");
    }

    #[test]
    fn words_that_a_shell_would_split_are_quoted() {
        assert_eq!(typed(&["run", "my file.toml"]), "gauntlet run 'my file.toml' --seed 7");
        assert_eq!(typed(&["run", "it's.toml"]), r"gauntlet run 'it'\''s.toml' --seed 7");
    }
}
