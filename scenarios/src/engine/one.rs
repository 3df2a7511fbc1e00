//! Runs one scenario on the built-in target, as often as asked, and tells whether the story stays the same.

use std::collections::BTreeMap;

use clock::{Clock, Instant, Lab, SystemClock, Timestamp};
use metrics_util::debugging::DebuggingRecorder;

use super::{Job, Options, capture, limit};
use crate::{
    Scenario,
    evidence::{self, Evidence},
    judge, library,
    observation::Observation,
    prose,
    result::{ScenarioResult, Verdict},
    run::{self, Seen, micros},
    target::{
        Weakening,
        builtin::{Plan, Stack},
    },
    transcript::Transcript,
    world::Broken,
};

/// Wall time at which every scenario begins on virtual time: a Monday morning.
const BEGAN: Timestamp = Timestamp::constant(1_767_603_600, 0);

/// Runs a job `options.repeat` times; the worst result counts.
pub(super) fn repeated(job: &Job<'_>, options: &Options) -> ScenarioResult {
    let (mut worst, mut seen) = once(job, options);
    let mut others = Vec::new();
    for n in 2..=options.repeat {
        let (again, seen_again) = once(job, options);
        let change = difference(&worst, &again);
        others.extend(change.map(|change| (n, change)));
        if again.verdict > worst.verdict {
            (worst, seen) = (again, seen_again);
        }
    }
    if let Some(told) = unlike(&others, options.repeat) {
        // One run does not show that two differ.
        seen = None;
        worst.reason = if worst.reason.is_empty() { told } else { format!("{}; {told}", worst.reason) };
        worst.verdict = worst.verdict.max(Verdict::Inconclusive);
    }
    if job.sabotage.is_none() {
        keep(job.scenario, seen, &mut worst, options);
    }
    worst
}

/// Keeps what the result rests on, where that is asked for; that it could not be kept is told in the log.
pub(super) fn keep(
    scenario: &Scenario,
    seen: Option<Observation>,
    result: &mut ScenarioResult,
    options: &Options,
) {
    let Some(folder) = &options.evidence else { return };
    let evidence = seen.map(|seen| Evidence::new(scenario, seen));
    if let Err(error) = evidence::keep(folder, &scenario.id, evidence.as_ref()) {
        result.log.push(format!("the evidence was not kept: {error}"));
    }
}

/// Tells of the runs that differ from those before, if there are any.
fn unlike(others: &[(u32, String)], runs: u32) -> Option<String> {
    let (n, change) = others.first()?;
    let told = format!("run {n} of {runs} with one seed {change}");
    Some(if others.len() > 1 { format!("{told} ({} runs differ)", others.len()) } else { told })
}

/// Tells how two runs with the same seed differ, if they do.
fn difference(one: &ScenarioResult, other: &ScenarioResult) -> Option<String> {
    let pairs = (1..).zip(one.transcript.iter().zip(&other.transcript));
    if let Some((line, (_, new))) = pairs.into_iter().find(|(_, (old, new))| old != new) {
        return Some(format!("tells another story from line {line} on: {} {}", new.actor, new.text));
    }
    if one.transcript.len() != other.transcript.len() {
        return Some(format!("has {} lines instead of {}", other.transcript.len(), one.transcript.len()));
    }
    let facts = |result: &ScenarioResult| {
        result
            .checks
            .iter()
            .map(|check| (check.id.clone(), check.held, check.observed.clone()))
            .collect::<Vec<_>>()
    };
    (facts(one) != facts(other)).then(|| "observed something else".to_owned())
}

/// Runs a job; returns with the result what it rests on, where a judgement of that is all it says.
fn once(job: &Job<'_>, options: &Options) -> (ScenarioResult, Option<Observation>) {
    let real = SystemClock::new();
    let log = capture::Log::default();
    let logging = log.begin();
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let counting = metrics::set_default_local_recorder(&recorder);
    capture::begin_panics();
    let weakening = job.sabotage.map(Weakening::new).unwrap_or_default();
    let plan = Plan { scenario: job.scenario, weakening: &weakening, seed: options.seed, metrics };
    let outcome = observe(&plan, &log);
    drop((counting, logging));
    let stray = capture::end_panics();
    let (mut result, mut seen) = match outcome {
        Ok(seen) => (told(job.scenario, &seen, options), Some(seen)),
        Err(error) => (ended(job.scenario, options, Verdict::Error, error.to_string()), None),
    };
    if !stray.is_empty() && result.verdict < Verdict::Error {
        result.verdict = Verdict::Error;
        result.reason = format!("panic outside of the steps: {}", stray[0]);
        seen = None;
    }
    result.real_us = micros(Instant::ZERO, real.now());
    (result, seen)
}

fn observe(plan: &Plan<'_>, log: &capture::Log) -> Result<Observation, Broken> {
    let (runtime, lab) = Lab::new(BEGAN).map_err(|error| Broken::Other(error.to_string()))?;
    runtime.block_on(async {
        let stack = Stack::start(&lab, plan).await?;
        let gather = || {
            let panics = capture::end_panics();
            capture::begin_panics();
            Seen { panics: Some(panics), log: log.lines() }
        };
        let running = Box::pin(run::observe(plan.scenario, &stack.world, gather));
        let seen = limit::within(limit::BUILTIN_MAX, running).await;
        // Where it does not come to its end either, it is dropped.
        let stopping = async {
            stack.stop().await;
            Ok(())
        };
        let _ = limit::within(limit::STOP_MAX, stopping).await;
        seen
    })
}

/// Judges what was seen and puts it into the words of a result.
pub(crate) fn told(scenario: &Scenario, seen: &Observation, options: &Options) -> ScenarioResult {
    let transcript = Transcript::new(seen.began, &seen.events, &seen.exchanges);
    let judgement = judge::judge(scenario, seen, &transcript);
    ScenarioResult {
        checks: judgement.checks,
        faults: judgement.faults,
        settings: chosen(seen),
        clock_us: micros(seen.began, seen.ended),
        transcript: transcript.lines,
        log: seen.log.clone(),
        ..ended(scenario, options, judgement.verdict, judgement.reason)
    }
}

/// Returns the command that runs just this scenario again: a file of somebody's own by its path.
fn reproduce(scenario: &Scenario, options: &Options) -> String {
    let name = if library::is_ours(&scenario.file) { &scenario.id } else { &scenario.file };
    let target = options.target.as_ref().map(|path| format!(" --target {path}")).unwrap_or_default();
    let repeat = if options.repeat > 1 { format!(" --repeat {}", options.repeat) } else { String::new() };
    format!("gauntlet run {name} --seed {}{repeat}{target}", options.seed)
}

/// Returns the settings that the scenario chose for itself.
fn chosen(seen: &Observation) -> BTreeMap<String, serde_json::Value> {
    let usual = &seen.usual_settings.0;
    let differs = |(name, value): &(&String, &serde_json::Value)| usual.get(*name) != Some(*value);
    seen.settings.0.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Makes the result of a scenario that was not run, and lets no evidence of an earlier run speak for it.
pub(super) fn unseen(
    scenario: &Scenario,
    options: &Options,
    verdict: Verdict,
    reason: String,
) -> ScenarioResult {
    let mut result = ended(scenario, options, verdict, reason);
    keep(scenario, None, &mut result, options);
    result
}

/// Makes the result of a scenario of which there is nothing to show.
pub(super) fn ended(
    scenario: &Scenario,
    options: &Options,
    verdict: Verdict,
    reason: String,
) -> ScenarioResult {
    let file = &scenario.tables;
    ScenarioResult {
        id: scenario.id.clone(),
        name: file.name.clone(),
        file: scenario.file.clone(),
        gap: scenario.gap(),
        features: file.features.clone(),
        tags: file.tags.clone(),
        hypothesis: file.hypothesis.clone(),
        story: prose::tell(scenario).story(),
        verdict,
        reason,
        checks: Vec::new(),
        faults: Vec::new(),
        settings: BTreeMap::new(),
        clock_us: 0,
        real_us: 0,
        transcript: Vec::new(),
        log: Vec::new(),
        reproduce: reproduce(scenario, options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn story() -> ScenarioResult {
        let told = |result: &ScenarioResult| result.transcript.len() > 1 && !result.checks.is_empty();
        sample::run().scenarios.into_iter().find(told).unwrap()
    }

    #[test]
    fn runs_with_one_seed_that_tell_another_story_are_told_apart_s12() {
        let (one, mut longer, mut other, mut seen) = (story(), story(), story(), story());
        longer.transcript.push(story().transcript.remove(0));
        other.transcript[1].text.push('!');
        seen.checks[0].observed.push('!');

        assert_eq!(difference(&one, &story()), None);
        let changes = [&longer, &other, &seen].map(|result| difference(&one, result).unwrap());
        insta::assert_snapshot!(changes.join("\n"), @"
        has 21 lines instead of 20
        tells another story from line 2 on: ana.phone send hello!
        observed something else
        ");
    }

    #[test]
    fn the_first_run_that_differs_is_named_and_all_are_counted_s12() {
        let change = |n| (n, "observed something else".to_owned());

        assert_eq!(unlike(&[], 20), None);
        insta::assert_snapshot!(unlike(&[change(3)], 20).unwrap(), @"run 3 of 20 with one seed observed something else");
        insta::assert_snapshot!(unlike(&[change(3), change(7)], 20).unwrap(), @"run 3 of 20 with one seed observed something else (2 runs differ)");
    }
}
