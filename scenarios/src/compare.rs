//! What became different from one run to another: worse, better, new, gone.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::result::{Run, ScenarioResult, Verdict};

/// Which way something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Its verdict is worse, or a check broke that had held.
    Worse,
    /// It is not in the new run, though that was to hold it: all of a run that was not cut short is compared.
    Gone,
    /// It is not in the old run.
    New,
    /// Its verdict is better.
    Better,
}

/// A scenario that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The scenario.
    pub id: String,
    /// Which way it changed.
    pub change: Change,
    /// How, in words.
    pub told: String,
}

/// Compares two runs; the differences come worst first, then by scenario.
///
/// Real time is no difference: it says more about the machine than about the target.
pub fn compare(old: &Run, new: &Run) -> Vec<Difference> {
    let by_id = |run: &'_ Run| -> BTreeMap<String, ScenarioResult> {
        run.scenarios.iter().map(|scenario| (scenario.id.clone(), scenario.clone())).collect()
    };
    let (before, after) = (by_id(old), by_id(new));
    let mut differences: Vec<_> =
        after.values().filter_map(|now| difference(before.get(&now.id), now)).collect();
    let gone = before.values().filter(|was| !after.contains_key(&was.id));
    differences.extend(gone.map(|was| Difference {
        id: was.id.clone(),
        change: Change::Gone,
        told: format!("was {}, and was not run", was.verdict.word()),
    }));
    differences.sort_by(|a, b| (a.change, &a.id).cmp(&(b.change, &b.id)));
    differences
}

fn difference(was: Option<&ScenarioResult>, now: &ScenarioResult) -> Option<Difference> {
    let told = |change, told| Some(Difference { id: now.id.clone(), change, told });
    let Some(was) = was else {
        let change = if now.verdict > Verdict::Skipped { Change::Worse } else { Change::New };
        return told(change, format!("is new: {}{}", now.verdict.word(), reason(now)));
    };
    if now.verdict != was.verdict {
        let change = if now.verdict > was.verdict { Change::Worse } else { Change::Better };
        return told(change, format!("{} → {}{}", was.verdict.word(), now.verdict.word(), reason(now)));
    }
    let broke_already: Vec<_> = was.broken().map(|check| &check.id).collect();
    let broke: Vec<_> =
        now.broken().map(|check| &check.id).filter(|id| !broke_already.contains(id)).collect();
    let first = broke.first()?;
    told(Change::Worse, format!("{}, and now `{first}` breaks as well", now.verdict.word()))
}

fn reason(scenario: &ScenarioResult) -> String {
    if scenario.reason.is_empty() { String::new() } else { format!(", {}", scenario.reason) }
}

/// Says in words what is different.
pub fn render(differences: &[Difference], (old, new): (&Run, &Run)) -> String {
    let mut text = String::new();
    for (label, run) in [("old", old), ("new", new)] {
        let (held, all) = (run.count(Verdict::Pass), run.scenarios.len());
        _ = writeln!(
            text,
            "{label}  {held} of {all} held on `{}`, seed {}, {}",
            run.target, run.seed, run.started_at
        );
    }
    if differences.is_empty() {
        text.push_str("\nno difference\n");
        return text;
    }
    text.push('\n');
    for Difference { id, change, told } in differences {
        let word = match change {
            Change::Worse => "WORSE",
            Change::Gone => "gone",
            Change::New => "new",
            Change::Better => "better",
        };
        _ = writeln!(text, "{word:6} {id}: {told}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn run(verdicts: &[(&str, Verdict)]) -> Run {
        let sample = sample::run();
        let model =
            ScenarioResult { checks: Vec::new(), reason: String::new(), ..sample.scenarios[0].clone() };
        let scenario = |(id, verdict): &(&str, Verdict)| ScenarioResult {
            id: (*id).to_owned(),
            verdict: *verdict,
            ..model.clone()
        };
        Run { scenarios: verdicts.iter().map(scenario).collect(), ..sample }
    }

    #[test]
    fn what_is_worse_comes_first_and_what_is_alike_is_not_told_s15() {
        let old =
            run(&[("a", Verdict::Pass), ("b", Verdict::Fail), ("c", Verdict::Pass), ("d", Verdict::Pass)]);
        let new =
            run(&[("a", Verdict::Pass), ("b", Verdict::Pass), ("c", Verdict::Fail), ("e", Verdict::Pass)]);

        let differences = compare(&old, &new);

        let told: Vec<_> = differences.iter().map(|it| (it.change, &*it.id, &*it.told)).collect();
        assert_eq!(
            told,
            [
                (Change::Worse, "c", "pass → fail"),
                (Change::Gone, "d", "was pass, and was not run"),
                (Change::New, "e", "is new: pass"),
                (Change::Better, "b", "fail → pass"),
            ]
        );
    }

    #[test]
    fn a_new_scenario_that_fails_is_worse_and_alike_runs_have_no_difference_s15() {
        let old = run(&[("a", Verdict::Pass)]);
        let new = run(&[("a", Verdict::Pass), ("b", Verdict::Error)]);

        assert_eq!(compare(&old, &new)[0].change, Change::Worse);
        assert!(compare(&new, &new).is_empty());
        assert!(render(&[], (&new, &new)).ends_with("\nno difference\n"));
    }

    #[test]
    fn a_failure_for_another_reason_is_told_s15() {
        let old = sample::run();
        let failed = old.scenarios.iter().position(|scenario| scenario.broken().next().is_some()).unwrap();
        let mut new = old.clone();
        let held = new.scenarios[failed].checks.iter_mut().find(|check| check.held).unwrap();
        held.held = false;
        let id = held.id.clone();

        let differences = compare(&old, &new);

        assert_eq!((differences.len(), differences[0].change), (1, Change::Worse));
        assert!(differences[0].told.contains(&format!("`{id}` breaks as well")), "{differences:?}");
    }
}
