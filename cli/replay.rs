//! `gauntlet replay`: the evidence of a report judged again.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use scenarios::{
    Scenario,
    evidence::{Evidence, FOLDER},
    replay::{Difference, differences, replay},
    result::{Run, ScenarioResult},
};

use crate::{compare, exit_code::ExitCode, failure::Failure, output, selection};

/// What to judge again.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The report: `run.json`, or the folder that holds it
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Scenario files with changed expectations, to judge the evidence of the same name by
    #[arg(value_name = "FILE")]
    changed: Vec<String>,
}

/// What became of a scenario.
enum Outcome {
    Same,
    Different(Vec<Difference>),
    /// There is nothing to judge it by.
    Silent,
}

/// Ends with 1 where anything is judged otherwise than it was reported, with 3 where there is no evidence.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let run = compare::read(&arguments.report)?;
    let changed = changed(&arguments.changed, &run)?;
    let folder = folder(&arguments.report).join(FOLDER);
    let (mut text, mut same, mut different) = (String::new(), 0, 0);
    for result in &run.scenarios {
        let outcome = judge(result, &folder, &changed, run.seed)?;
        match &outcome {
            Outcome::Same => same += 1,
            Outcome::Different(_) => different += 1,
            Outcome::Silent => {}
        }
        tell(&mut text, result, &outcome);
    }
    let silent = run.scenarios.len() - same - different;
    _ = writeln!(text, "\n{same} judged as before, {different} otherwise, {silent} without evidence");
    output::print(&text);
    Ok(match (same, different) {
        (0, 0) => ExitCode::Inconclusive,
        (_, 0) => ExitCode::Held,
        _ => ExitCode::Failed,
    })
}

fn folder(report: &Path) -> PathBuf {
    if report.is_dir() { report.to_owned() } else { report.parent().map(Path::to_owned).unwrap_or_default() }
}

/// Reads the changed scenarios; each must be one of the report.
fn changed(files: &[String], run: &Run) -> Result<Vec<Scenario>, Failure> {
    let scenarios = files.iter().map(|file| selection::read(file)).collect::<Result<Vec<_>, _>>()?;
    match scenarios.iter().find(|scenario| !run.scenarios.iter().any(|result| result.id == scenario.id)) {
        Some(scenario) => Err(Failure::usage(format!(
            "the report holds no scenario `{}`\n  hint: a file is judged by the evidence of its own name",
            scenario.id
        ))),
        None => Ok(scenarios),
    }
}

fn judge(
    result: &ScenarioResult,
    folder: &Path,
    changed: &[Scenario],
    seed: u64,
) -> Result<Outcome, Failure> {
    let Some(evidence) = Evidence::read(folder, &result.id).map_err(Failure::usage)? else {
        return Ok(Outcome::Silent);
    };
    let changed = changed.iter().find(|scenario| scenario.id == result.id);
    let now = replay(&evidence, changed, seed).map_err(|error| Failure::invalid(*error))?;
    let differences = differences(result, &now);
    Ok(if differences.is_empty() { Outcome::Same } else { Outcome::Different(differences) })
}

fn tell(text: &mut String, result: &ScenarioResult, outcome: &Outcome) {
    let (word, differences) = match outcome {
        Outcome::Same => ("same", &[][..]),
        Outcome::Different(differences) => ("differs", &differences[..]),
        Outcome::Silent => ("no evidence", &[][..]),
    };
    _ = writeln!(text, "{word:<13}{:<14}{}", result.verdict.word(), result.id);
    for Difference { what, then, now } in differences {
        _ = writeln!(text, "  {what}\n    then  {then}\n    now   {now}");
    }
}
