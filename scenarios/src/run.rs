//! Runs one scenario in its world: the steady state, the steps, the end of the last turn.

mod at_once;
mod deciders;
mod people;
mod step;
mod writers;

use std::{sync::atomic::Ordering, time::Duration};

use clock::Instant;
use mock_deepseek::Script;

use crate::{
    judge, matching,
    model::{Ending, File, Scenario, Step},
    observation::Observation,
    record::What,
    result::{Check, CheckSource},
    world::{Broken, World},
};
use people::People;

/// The probe before the steps: without it nothing can be concluded.
pub(crate) const STEADY_BEFORE: &str = "steady state before";
/// The probe after the steps.
pub(crate) const STEADY_AFTER: &str = "steady state after";

/// In real time nothing says that nothing more will come: so long it is waited for what comes after the end.
const LATE: Duration = Duration::from_millis(100);

/// Attempts of the probe after the steps, spread over the time that the scenario allows.
const RECOVERY_PROBES: u32 = 5;

/// What a run needs beside its world.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) panics: Option<Vec<String>>,
    pub(crate) log: Vec<String>,
}

/// Runs the scenario and returns all that was seen. `gather` collects log and panics at the end.
pub(crate) async fn observe(
    scenario: &Scenario,
    world: &World,
    gather: impl FnOnce() -> Seen,
) -> Result<Observation, Broken> {
    let scenario = &scenario.resolved(&world.settings).map_err(|error| Broken::Other(error.to_string()))?;
    let mut people = People::gather(scenario, world).await?;
    let mut steady = vec![steady_before(&mut people).await?];
    world.llm.set_script(scenario.tables.llm.clone());
    world.llm.reset();
    let (began, first) = (world.now(), world.recorder.len());
    if steady[0].held {
        step::run(&scenario.tables.steps, &mut people).await?;
        finish(world, &people, first).await?;
    }
    let ended = world.now();
    let (events, exchanges) = (world.recorder.snapshot().split_off(first), world.llm.journal());
    if let Some(within) = scenario.tables.steady.recovers_within.as_ref().filter(|_| steady[0].held) {
        let within = within.duration(&world.settings).map_err(|error| Broken::Other(error.to_string()))?;
        steady.push(recovery(&mut people, within).await?);
    }
    let Seen { panics, log } = gather();
    let log = people.without_tokens(log);
    let first_script = events.iter().find_map(|event| match event.what {
        What::Script(asked) => Some(asked),
        _ => None,
    });
    let mut seen = Observation {
        first_script,
        began,
        ended,
        events,
        exchanges,
        histories_began: people.order.began(),
        decisions: people.decided(),
        histories: people.into_histories(),
        metrics: world.metrics(),
        panics,
        log,
        process: None,
        steady,
        settings: world.settings.clone(),
        usual_settings: world.usual_settings.clone(),
        slack: world.slack,
    };
    judge::tell_proofs(scenario, &mut seen);
    Ok(seen)
}

/// Probes until the target is sound. A target that lives on and was sound may still suffer from the scenario before:
/// it gets the time that a breaker needs.
async fn steady_before(people: &mut People<'_>) -> Result<Check, Broken> {
    let cooldown = people.world.settings_span("llm.breaker.cooldown").unwrap_or_default();
    let patience = people.world.now() + cooldown + cooldown / 2;
    loop {
        let check = people.probe(STEADY_BEFORE).await?;
        people.world.was_sound.fetch_or(check.held, Ordering::Relaxed);
        let has_ended = match &people.world.process {
            Some(process) => process.ended().await.is_some(),
            None => false,
        };
        let was_sound = people.world.was_sound.load(Ordering::Relaxed);
        let is_hopeless = people.world.is_fresh() || has_ended || !was_sound;
        if check.held || is_hopeless || people.world.now() >= patience {
            return Ok(check);
        }
        people.world.advance(cooldown / RECOVERY_PROBES).await?;
    }
}

/// Lets the turns that still run come to their end, and the model's connections to theirs.
async fn finish(world: &World, people: &People<'_>, first: usize) -> Result<(), Broken> {
    let total = world.settings_span("llm.total").unwrap_or(Duration::from_secs(30));
    let owed = || people.open_sockets().map(|device| owed(world, first, device)).max().unwrap_or(0);
    let is_over = || {
        owed() == 0 && world.llm.journal().iter().all(|exchange| matching::end_of(exchange) != Ending::Open)
    };
    // The turns of a device are taken one after the other: each that ends gives the next its time.
    let mut before = owed();
    loop {
        let progress = || is_over() || owed() < before;
        let came = world.until(total + Duration::from_secs(2), progress).await?;
        before = owed();
        if !came || is_over() {
            break;
        }
    }
    if !world.is_fresh() {
        world.advance(LATE).await?;
    }
    world.settle().await
}

/// Returns how many turns of a device have not ended.
fn owed(world: &World, first: usize, device: &str) -> u32 {
    world.recorder.ask(first, |events| {
        let of_device = events.iter().filter(|event| event.actor == device);
        of_device.fold(0_u32, |running, event| match &event.what {
            What::Sent(_) => running + 1,
            What::Frame(frame) if frame.is_end() => running.saturating_sub(1),
            // Turns end with their connection.
            What::Opened => 0,
            _ => running,
        })
    })
}

/// Probes until the target is back, with a healthy model.
async fn recovery(people: &mut People<'_>, within: Duration) -> Result<Check, Broken> {
    people.world.llm.set_script(Script::default());
    people.world.lines.clear();
    for _ in 0..RECOVERY_PROBES {
        people.world.advance(within / RECOVERY_PROBES).await?;
        let check = people.probe(STEADY_AFTER).await?;
        if check.held {
            return Ok(check);
        }
    }
    Ok(Check {
        id: STEADY_AFTER.to_owned(),
        source: CheckSource::Steady,
        held: false,
        expected: format!("an answered turn within {within:?}"),
        observed: "none".to_owned(),
        evidence: Vec::new(),
    })
}

/// Returns the ids of the faults that the scripts of a scenario plan.
pub(crate) fn planned_faults(file: &File) -> Vec<String> {
    fn of_script(script: &Script) -> impl Iterator<Item = String> + '_ {
        let rules = script.rules.iter().flat_map(|rule| &rule.faults);
        rules.chain(&script.default.faults).map(|fault| fault.id().to_owned())
    }
    fn of_steps(steps: &[Step], ids: &mut Vec<String>) {
        for step in steps {
            match step {
                Step::Llm(script) => ids.extend(of_script(script)),
                Step::Repeat { steps, .. } => of_steps(steps, ids),
                _ => {}
            }
        }
    }
    let mut ids: Vec<_> = of_script(&file.llm).collect();
    of_steps(&file.steps, &mut ids);
    ids
}

/// Returns the microseconds from one instant to another.
pub(crate) fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.since(from).as_micros()).unwrap_or(u64::MAX)
}
