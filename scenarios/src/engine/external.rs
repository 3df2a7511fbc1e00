//! Runs scenarios against somebody's back end, in real time, one after the other.

mod watch;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use clock::{Activity, SharedClock, SystemClock};
use mock_deepseek::MockDeepSeek;
use tokio::net::TcpStream;

use super::{Listener, Options, limit, one};
use crate::{
    Scenario,
    expr::Settings,
    invariant::{self, LIVES_ON},
    model::Step,
    observation::{Observation, ProcessSeen},
    record::Recorder,
    result::{Progress, ScenarioResult, Verdict},
    run::{self, Seen, micros},
    target::{Process, TargetFile, WROTE_LAST},
    world::{Broken, Time, World},
};
use watch::Watch;

/// A scenario whose pauses take more real time than this is skipped.
const PAUSES_MAX: Duration = Duration::from_mins(3);

/// A target that did not start so many times in a row is not started again.
const FAILED_STARTS_MAX: u32 = 3;

/// So long a connection to a target that was not started here may take.
const REACH_LIMIT: Duration = Duration::from_secs(5);

/// Runs all scenarios that the target can do; the others are skipped, each with its reason.
///
/// When `options.stop` is cancelled, the target is stopped and nothing is returned.
pub(super) fn each(
    scenarios: &[Scenario],
    file: &TargetFile,
    options: &Options,
    on: Listener<'_>,
) -> Vec<ScenarioResult> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return all_broken(scenarios, options, &error.to_string()),
    };
    let mut series = Series { file, options, on, failed_starts: 0, written: 0 };
    runtime.block_on(async {
        let begun = tokio::select! {
            begun = world(file, options.seed) => begun,
            () = options.stop.cancelled() => return Vec::new(),
        };
        let mut world = match begun {
            Ok(world) => world,
            Err(error) => return all_broken(scenarios, options, &error.to_string()),
        };
        let results = tokio::select! {
            results = series.run(scenarios, &mut world) => results,
            () = options.stop.cancelled() => Vec::new(),
        };
        // Also after a start that was given up half-way.
        if let Some(process) = &world.process {
            process.stop().await;
        }
        results
    })
}

/// Scenarios that are run one after the other.
struct Series<'a> {
    file: &'a TargetFile,
    options: &'a Options,
    on: Listener<'a>,
    /// How many times in a row the target did not start.
    failed_starts: u32,
    /// So many lines of its log belong to scenarios that are over.
    written: usize,
}

impl Series<'_> {
    async fn run(&mut self, scenarios: &[Scenario], world: &mut World) -> Vec<ScenarioResult> {
        if let Some(process) = &world.process
            && let Err(error) = process.start().await
        {
            return all_broken(scenarios, self.options, &error);
        }
        let mut results: Vec<ScenarioResult> = Vec::new();
        for (n, scenario) in scenarios.iter().enumerate() {
            self.tell_late_death(scenarios, &mut results, world).await;
            (self.on)(Progress::Started { id: scenario.id.clone(), twin: None });
            let result = self.one(scenario, n, world).await;
            let is_last = self.options.fail_fast && result.verdict > Verdict::Skipped;
            (self.on)(Progress::Finished { result: Box::new(result.clone()), row: None });
            results.push(result);
            if is_last {
                break;
            }
        }
        self.tell_late_death(scenarios, &mut results, world).await;
        results
    }

    /// Fails the last scenario if the target has ended after it, and nobody wanted it to.
    async fn tell_late_death(&self, scenarios: &[Scenario], results: &mut [ScenarioResult], world: &World) {
        let Some(process) = &world.process else { return };
        let Some(death) = process.blame().await else { return };
        let last = scenarios.iter().zip(results).rfind(|(_, result)| result.verdict != Verdict::Skipped);
        let Some((scenario, result)) = last else { return };
        fail(result, format!("after the scenario {death}"));
        // What was seen does not show it.
        one::keep(scenario, None, result, self.options);
        (self.on)(Progress::Finished { result: Box::new(result.clone()), row: None });
    }

    /// Runs a scenario as often as asked; the worst result counts.
    async fn one(&mut self, scenario: &Scenario, n: usize, world: &mut World) -> ScenarioResult {
        world.settings = world.usual_settings.clone();
        let chosen = self.file.chosen(scenario);
        world.settings.0.extend(chosen.0.clone());
        if let Some(reason) = self.file.lacks(scenario).or_else(|| too_long(scenario, &world.settings)) {
            return one::unseen(scenario, self.options, Verdict::Skipped, reason);
        }
        let mut worst = None::<(ScenarioResult, Option<Observation>)>;
        let mut not_held = 0;
        for time in 1..=self.options.repeat {
            world.recorder = Recorder::new(world.clock());
            world.nonce = format!("{}-{n}-{time}-{}", scenario.id, world.clock().wall().as_microsecond());
            let (result, seen) = match self.unfit(world, chosen.clone()).await {
                None => self.once(scenario, world).await,
                Some(reason) => (one::ended(scenario, self.options, Verdict::Error, reason), None),
            };
            not_held += u32::from(result.verdict > Verdict::Skipped);
            if worst.as_ref().is_none_or(|(worst, _)| gravity(&result) > gravity(worst)) {
                worst = Some((result, seen));
            }
        }
        let Some((mut result, seen)) = worst else {
            return one::ended(scenario, self.options, Verdict::Error, "it was never run".to_owned());
        };
        if not_held > 0 && self.options.repeat > 1 {
            let told = format!("{not_held} of {} runs did not hold", self.options.repeat);
            result.reason = format!("{}; {told}", result.reason);
        }
        one::keep(scenario, seen, &mut result, self.options);
        result
    }

    /// Says why the target cannot be asked, if it does not come up with these settings, or not again.
    async fn unfit(&mut self, world: &World, chosen: Settings) -> Option<String> {
        let Some(process) = &world.process else { return unreachable(world).await };
        if self.failed_starts == FAILED_STARTS_MAX {
            let told = format!("the target did not start {FAILED_STARTS_MAX} times in a row");
            return Some(format!("{told}, and was not started again; see the reason of the first"));
        }
        let is_usual = chosen.0.is_empty();
        let failed = process.run_with(chosen).await.err();
        self.failed_starts = match &failed {
            None => 0,
            // It may be the settings that it does not like.
            Some(_) if !is_usual => self.failed_starts,
            Some(_) => self.failed_starts + 1,
        };
        failed
    }

    async fn once(&mut self, scenario: &Scenario, world: &World) -> (ScenarioResult, Option<Observation>) {
        let began = world.now();
        world.llm.set_script(mock_deepseek::Script::default());
        world.llm.reset();
        world.lines.clear();
        let watch = Watch::begin(world, self.written).await;
        let seen = || watch.as_ref().map_or_else(|| Seen { panics: None, log: Vec::new() }, Watch::seen);
        let running = Box::pin(run::observe(scenario, world, seen));
        let outcome = limit::within(limit::EXTERNAL_MAX, running).await;
        let process = match watch {
            Some(watch) => {
                if outcome.is_err() {
                    watch.let_end().await;
                }
                Some(watch.end(self.file.memory_growth_mib).await)
            }
            None => None,
        };
        let (mut result, seen) = self.told(scenario, outcome, process);
        result.real_us = micros(began, world.now());
        self.leave(scenario, &result, world).await;
        (result, seen)
    }

    /// Judges what was seen. What the target did wrong as a process is its own fault, whatever else there is to see.
    fn told(
        &self,
        scenario: &Scenario,
        outcome: Result<Observation, Broken>,
        process: Option<ProcessSeen>,
    ) -> (ScenarioResult, Option<Observation>) {
        let death = process.as_ref().and_then(|process| process.death.clone());
        let (mut result, mut seen) = match outcome {
            Ok(mut seen) => {
                seen.process = process;
                (one::told(scenario, &seen, self.options), Some(seen))
            }
            Err(error) => (one::ended(scenario, self.options, Verdict::Error, error.to_string()), None),
        };
        if let Some(death) = death.filter(|_| result.verdict != Verdict::Fail) {
            fail(&mut result, death);
            seen = None;
        }
        (result, seen)
    }

    /// Sees to it that the next scenario finds the target sound: one that this scenario may have left standing still, or
    /// that did not answer, is started anew.
    async fn leave(&mut self, scenario: &Scenario, result: &ScenarioResult, world: &World) {
        let Some(process) = &world.process else { return };
        let is_touched = scenario.tables.needs.iter().any(|need| need == "process");
        if result.verdict == Verdict::Error || (result.verdict > Verdict::Skipped && is_touched) {
            process.stop().await;
        }
        self.written = process.lines_written();
    }
}

/// Says how much a result tells against the target: a failure more than what could not be judged.
const fn gravity(result: &ScenarioResult) -> u8 {
    match result.verdict {
        Verdict::Pass => 0,
        Verdict::Skipped => 1,
        Verdict::Inconclusive => 2,
        Verdict::Error => 3,
        Verdict::Fail => 4,
    }
}

/// Fails a scenario because of what became of the target.
fn fail(result: &mut ScenarioResult, death: String) {
    result.reason = format!("{LIVES_ON}: {death}");
    result.verdict = Verdict::Fail;
    result.checks.retain(|check| check.id != LIVES_ON);
    result.checks.push(invariant::death(death));
}

/// Says why nothing can be asked of a target that was not started here, if nobody listens there.
async fn unreachable(world: &World) -> Option<String> {
    let address = world.base.strip_prefix("http://").unwrap_or(&world.base);
    let error = match clock::timeout(&*world.clock(), REACH_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {REACH_LIMIT:?}"),
    };
    Some(format!(
        "the target cannot be reached at {}: {error}; start it, or mend `url` in the target file",
        world.base
    ))
}

/// Says why a scenario is not waited for, if its pauses take too much real time.
fn too_long(scenario: &Scenario, settings: &Settings) -> Option<String> {
    // What cannot be resolved for this target is told when it is run.
    let scenario = scenario.resolved(settings).ok()?;
    let pauses = pauses(&scenario.tables.steps, settings);
    (pauses > PAUSES_MAX).then(|| format!("would wait {pauses:?}, and target has no virtual time"))
}

fn pauses(steps: &[Step], settings: &Settings) -> Duration {
    let pause = |step: &Step| match step {
        Step::Advance { by } => by.duration(settings).unwrap_or_default(),
        Step::Repeat { times, steps } => {
            let times = u32::try_from(times.count(settings).unwrap_or_default()).unwrap_or(u32::MAX);
            pauses(steps, settings).saturating_mul(times)
        }
        _ => Duration::ZERO,
    };
    steps.iter().map(pause).fold(Duration::ZERO, Duration::saturating_add)
}

/// Starts the mock and the links, and prepares the target if that is to be started here.
async fn world(file: &TargetFile, seed: u64) -> Result<World, Broken> {
    let clock = SystemClock::new();
    let shared: SharedClock = Arc::new(clock);
    let builder = MockDeepSeek::builder().clock(shared.clone()).seed(seed).address(file.llm);
    let llm = builder.start().await.map_err(|error| Broken::Other(error.to_string()))?;
    let means = (SharedClock::clone(&shared), Activity::unwatched());
    let (lines, ends) = file.links.begin(&llm.url(), means).await.map_err(Broken::Other)?;
    let process = file.start.as_ref().map(|start| Process::new(file, start, &ends)).transpose();
    let process = process.map_err(Broken::Other)?;
    Ok(World {
        others: Vec::new(),
        time: Time::Real(clock),
        base: file.url.clone(),
        entrance: file.entrance(),
        llm,
        recorder: Recorder::new(shared),
        settings: file.settings(),
        usual_settings: file.settings(),
        metrics: None,
        slack: file.slack,
        process,
        lines,
        crown: None,
        database_url: None,
        nonce: String::new(),
        was_sound: AtomicBool::default(),
    })
}

/// Makes the results where nothing could be asked: the first tells all of the reason, the others what it was.
fn all_broken(scenarios: &[Scenario], options: &Options, reason: &str) -> Vec<ScenarioResult> {
    let short = reason.split(WROTE_LAST).next().unwrap_or_default();
    let reasons = std::iter::once(reason).chain(std::iter::repeat(short));
    let broken =
        |(scenario, reason): (_, &str)| one::unseen(scenario, options, Verdict::Error, reason.to_owned());
    scenarios.iter().zip(reasons).map(broken).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_a_week_for_a_scenario_s4() {
        let text = |by: &str| {
            format!(
                "schema = 1\nname = \"n\"\nhypothesis = \"h\"\nneeds = [\"process\"]\nusers = [{{ name = \"ana\" }}]\nsteps = [{{ repeat = {{ times = 2, steps = [{{ advance = {{ by = \"{by}\" }} }}] }} }}]\n"
            )
        };
        let settings = crate::target::default_settings();
        let reason = |by: &str| too_long(&crate::parse("s.toml", &text(by)).unwrap(), &settings);

        assert_eq!(reason("89s"), None);
        assert_eq!(reason("91s").as_deref(), Some("would wait 182s, and target has no virtual time"));
    }
}
