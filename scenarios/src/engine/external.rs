//! Runs scenarios against a back end that is already running, in real time, one after the other.

use std::sync::Arc;

use clock::{SharedClock, SystemClock};
use mock_deepseek::MockDeepSeek;

use super::{Listener, Options, one};
use crate::{
    Scenario,
    record::Recorder,
    result::{Progress, ScenarioResult, Verdict},
    run::{self, Seen, micros},
    target::TargetFile,
    world::{Broken, Time, World},
};

/// Runs all scenarios that the target can do; the others are skipped, each with its reason.
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
    runtime.block_on(async {
        let mut world = match world(file, options.seed).await {
            Ok(world) => world,
            Err(error) => return all_broken(scenarios, options, &error.to_string()),
        };
        let mut results = Vec::new();
        for (n, scenario) in scenarios.iter().enumerate() {
            on(Progress::Started { id: scenario.id.clone(), twin: None });
            let result = if let Some(reason) = file.lacks(scenario) {
                one::ended(scenario, options, Verdict::Skipped, reason)
            } else {
                world.recorder = Recorder::new(world.clock());
                world.nonce = format!("{}-{n}-{}", scenario.id, world.clock().wall().as_microsecond());
                let mut worst = one_scenario(scenario, &world, options).await;
                for again in 2..=options.repeat {
                    world.recorder = Recorder::new(world.clock());
                    world.nonce = format!("{}-{again}", world.nonce);
                    let result = one_scenario(scenario, &world, options).await;
                    worst = if result.verdict > worst.verdict { result } else { worst };
                }
                worst
            };
            let is_last = options.fail_fast && result.verdict > Verdict::Skipped;
            on(Progress::Finished { result: Box::new(result.clone()), row: None });
            results.push(result);
            if is_last {
                break;
            }
        }
        results
    })
}

async fn one_scenario(scenario: &Scenario, world: &World, options: &Options) -> ScenarioResult {
    let began = world.now();
    world.llm.set_script(mock_deepseek::Script::default());
    world.llm.reset();
    let nothing = || Seen { panics: None, log: Vec::new() };
    let mut result = match Box::pin(run::observe(scenario, world, nothing)).await {
        Ok(seen) => one::told(scenario, &seen, options),
        Err(error) => one::ended(scenario, options, Verdict::Error, error.to_string()),
    };
    result.real_us = micros(began, world.now());
    result
}

async fn world(file: &TargetFile, seed: u64) -> Result<World, Broken> {
    let clock = SystemClock::new();
    let shared: SharedClock = Arc::new(clock);
    let builder = MockDeepSeek::builder().clock(shared.clone()).seed(seed).address(file.llm);
    let llm = builder.start().await.map_err(|error| Broken::Other(error.to_string()))?;
    Ok(World {
        time: Time::Real(clock),
        base: file.url.clone(),
        llm,
        recorder: Recorder::new(shared),
        settings: file.settings(),
        usual_settings: file.settings(),
        metrics: None,
        slack: file.slack,
        nonce: String::new(),
    })
}

fn all_broken(scenarios: &[Scenario], options: &Options, reason: &str) -> Vec<ScenarioResult> {
    scenarios
        .iter()
        .map(|scenario| one::ended(scenario, options, Verdict::Error, reason.to_owned()))
        .collect()
}
