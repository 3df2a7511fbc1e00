//! Runs many scenarios: on threads of their own on the built-in target, one after the other elsewhere.
//!
//! Each scenario on the built-in target has its own runtime, clock, metrics, log and panic capture, so
//! that nothing of one reaches another.

mod capture;
mod external;
mod limit;
mod one;

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use clock::{Clock, SystemClock, Timestamp};

use tokio_util::sync::CancellationToken;

use crate::{
    Scenario, library,
    model::Sabotage,
    result::{Progress, Proof, ProofOutcome, ProofRow, Run, SCHEMA_VERSION, ScenarioResult, Verdict},
    target::Target,
};

pub(crate) use one::told;

/// The only check of the canary; it cannot hold.
const CANARY_CHECK: &str = "nobody answers";

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of everything random.
    pub seed: u64,
    /// Scenarios at once on the built-in target; at least one.
    pub jobs: usize,
    /// Times that each scenario is run; the worst counts, and every run must tell the same story.
    pub repeat: u32,
    /// Whether to stop at the first that does not pass.
    pub fail_fast: bool,
    /// The target file, as it was named, for the commands in reports; none for the built-in target.
    pub target: Option<String>,
    /// Command line that repeats this run, for reports.
    pub command: String,
    /// Where what was seen of each scenario is kept; nowhere when not given.
    pub evidence: Option<PathBuf>,
    /// Ends the run before its time: what was started is stopped, and what was not judged is left out.
    pub stop: CancellationToken,
}

impl Default for Options {
    /// Each scenario once, one after the other, with seed 1.
    fn default() -> Self {
        Self {
            seed: 1,
            jobs: 1,
            repeat: 1,
            fail_fast: false,
            target: None,
            command: String::new(),
            evidence: None,
            stop: CancellationToken::new(),
        }
    }
}

/// Listens to what happens during a run.
pub type Listener<'a> = &'a (dyn Fn(Progress) + Sync);

/// One thing to run: a scenario, sound or weakened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) sabotage: Option<&'a Sabotage>,
}

/// Runs scenarios against a target. Blocks; makes its own threads and runtimes.
pub fn run(scenarios: &[Scenario], target: &Target, options: &Options, on: Listener<'_>) -> Run {
    let began = Began::now();
    let jobs: Vec<_> = scenarios.iter().map(|scenario| Job { scenario, sabotage: None }).collect();
    on(Progress::Began { total: jobs.len() });
    let results = match target {
        Target::Builtin => each(&jobs, options, on),
        Target::External(file) => external::each(scenarios, file, options, on),
    };
    planned(scenarios, summary(target, options, &began, results))
}

/// Runs each scenario on the sound server and under each of its sabotages, and fills the kill matrix.
///
/// Only the built-in target can be weakened.
pub fn prove(scenarios: &[Scenario], options: &Options, on: Listener<'_>) -> Run {
    let began = Began::now();
    let sound: Vec<_> = scenarios.iter().map(|scenario| Job { scenario, sabotage: None }).collect();
    let (twins, origins): (Vec<_>, Vec<_>) = scenarios
        .iter()
        .enumerate()
        .flat_map(|(n, scenario)| {
            let sabotages = scenario.tables.sabotage.iter();
            sabotages.map(move |sabotage| (Job { scenario, sabotage: Some(sabotage) }, n))
        })
        .unzip();
    on(Progress::Began { total: sound.len() + twins.len() });
    let results = each(&sound, options, on);
    let mut rows = Vec::new();
    // A run that stopped at its first failure proves nothing about what it left out.
    if results.len() == sound.len() {
        let twin_results = each(&twins, options, on);
        let told = twins.iter().zip(&origins).zip(&twin_results);
        rows.extend(told.map(|((job, n), twin)| row(job, &results[*n], twin)));
        rows.push(canary(options));
    }
    let run = summary(&Target::Builtin, options, &began, results);
    Run { proof: Some(Proof { rows }), ..planned(scenarios, run) }
}

/// Tells in a run which of the scenarios that were planned it has not judged.
pub fn planned(scenarios: &[Scenario], run: Run) -> Run {
    let is_judged = |id: &String| run.scenarios.iter().any(|result| result.id == *id);
    let ids = scenarios.iter().map(|scenario| scenario.id.clone());
    Run { planned: scenarios.len(), unjudged: ids.filter(|id| !is_judged(id)).collect(), ..run }
}

/// Runs a scenario once on the built-in target, sound or weakened. Blocks; makes its own runtime.
pub(crate) fn judge_once(
    scenario: &Scenario,
    sabotage: Option<&Sabotage>,
    options: &Options,
) -> ScenarioResult {
    one::repeated(&Job { scenario, sabotage }, options)
}

/// Runs the scenario that must be red: a harness in which nothing can fail proves nothing.
fn canary(options: &Options) -> ProofRow {
    let (broken, reason) = match library::canary() {
        Ok(scenario) => {
            let result = one::repeated(&Job { scenario: &scenario, sabotage: None }, options);
            (result.broken().map(|check| check.id.clone()).collect(), result.reason)
        }
        Err(error) => (Vec::new(), error.to_string()),
    };
    let is_red = broken == [CANARY_CHECK];
    ProofRow {
        scenario: "canary".to_owned(),
        sabotage: "none: it must be red by itself".to_owned(),
        caught_by: CANARY_CHECK.to_owned(),
        broken,
        outcome: if is_red { ProofOutcome::Killed } else { ProofOutcome::Survived },
        reason: if is_red { String::new() } else { reason },
    }
}

fn row(job: &Job<'_>, sound: &ScenarioResult, twin: &ScenarioResult) -> ProofRow {
    if sound.verdict == Verdict::Pass {
        return twin_row(job, twin);
    }
    let reason = format!("sound run ended in {}: {}", sound.verdict.word(), sound.reason);
    ProofRow { outcome: ProofOutcome::NotSound, reason, ..twin_row(job, twin) }
}

/// Tells what a weakened run shows, if the sound one passes.
fn twin_row(job: &Job<'_>, twin: &ScenarioResult) -> ProofRow {
    let sabotage = job.sabotage;
    let caught_by = sabotage.map(|s| s.caught_by.get_ref().clone()).unwrap_or_default();
    let broken: Vec<String> = twin.broken().map(|check| check.id.clone()).collect();
    // A server that does not work at all breaks everything and shows nothing.
    let is_dead = broken.iter().any(|id| id == crate::run::STEADY_BEFORE);
    let (outcome, reason) = if twin.verdict == Verdict::Error || is_dead {
        (ProofOutcome::Broken, twin.reason.clone())
    } else if broken.contains(&caught_by) {
        (ProofOutcome::Killed, String::new())
    } else if broken.is_empty() {
        (ProofOutcome::Survived, format!("nothing broke ({})", twin.verdict.word()))
    } else {
        (ProofOutcome::WrongReason, format!("`{}` broke instead", broken.join("`, `")))
    };
    ProofRow {
        scenario: job.scenario.id.clone(),
        sabotage: sabotage.map(|s| s.name.clone()).unwrap_or_default(),
        caught_by,
        broken,
        outcome,
        reason,
    }
}

/// Runs jobs on several threads; the results keep the order of the jobs.
fn each(jobs: &[Job<'_>], options: &Options, on: Listener<'_>) -> Vec<ScenarioResult> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results: Vec<Mutex<Option<ScenarioResult>>> = jobs.iter().map(|_| Mutex::default()).collect();
    let work = || {
        while !stop.load(Ordering::Relaxed) && !options.stop.is_cancelled() {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(n) else { return };
            let twin = job.sabotage.map(|sabotage| sabotage.name.clone());
            on(Progress::Started { id: job.scenario.id.clone(), twin: twin.clone() });
            let result = match Target::Builtin.lacks(job.scenario) {
                Some(reason) => one::unseen(job.scenario, options, Verdict::Skipped, reason),
                None => one::repeated(job, options),
            };
            if options.fail_fast && result.verdict > Verdict::Skipped && twin.is_none() {
                stop.store(true, Ordering::Relaxed);
            }
            let row = job.sabotage.map(|_| twin_row(job, &result));
            on(Progress::Finished { result: Box::new(result.clone()), row });
            *results[n].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, jobs.len().max(1)) {
            scope.spawn(work);
        }
    });
    let unlock = |slot: Mutex<_>| slot.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().filter_map(unlock).collect()
}

/// When a run began, in real time: told to people, never part of a verdict.
struct Began {
    clock: SystemClock,
    at: Timestamp,
}

impl Began {
    fn now() -> Self {
        let clock = SystemClock::new();
        Self { at: clock.wall(), clock }
    }
}

fn summary(target: &Target, options: &Options, began: &Began, scenarios: Vec<ScenarioResult>) -> Run {
    let elapsed = began.clock.now().since_origin();
    Run {
        schema_version: SCHEMA_VERSION,
        tool: concat!("gauntlet ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: options.command.clone(),
        seed: options.seed,
        target: target.name().to_owned(),
        settings: target.settings().0,
        started_at: began.at.to_string(),
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        planned: scenarios.len(),
        unjudged: Vec::new(),
        scenarios,
        proof: None,
    }
}
