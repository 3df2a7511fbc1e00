//! Kept evidence judged again, and what that finds different from what was reported.
//!
//! Nothing is run: no server, no model, no clock. By the text of the scenario that was judged, the outcome can
//! only be another one if the evidence or the judge was changed; by a changed text, it shows what its expectations
//! would have said.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Options, Scenario,
    engine::told,
    evidence::Evidence,
    parse::{ParseError, parse},
    result::{Check, ScenarioResult},
};

/// What is different now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of what: `verdict`, a check, a line of the transcript.
    pub what: String,
    /// As it was reported.
    pub then: String,
    /// As it is judged now.
    pub now: String,
}

/// Judges evidence again, by the scenario that it was judged by, or by a changed one.
pub fn replay(
    evidence: &Evidence,
    changed: Option<&Scenario>,
    seed: u64,
) -> Result<ScenarioResult, Box<ParseError>> {
    let options = Options { seed, ..Options::default() };
    let scenario = match changed {
        Some(scenario) => scenario.clone(),
        None => parse(&evidence.file, &evidence.source)?,
    };
    Ok(told(&scenario, &evidence.seen, &options))
}

/// Returns what a judgement finds different from the one before: the verdict, the checks, the first line of the
/// transcript that is another.
pub fn differences(then: &ScenarioResult, now: &ScenarioResult) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut tell = |what: &str, then: String, now: String| {
        if then != now {
            found.push(Difference { what: what.to_owned(), then, now });
        }
    };
    tell("verdict", then.verdict.word().to_owned(), now.verdict.word().to_owned());
    let (before, after) = (by_id(then), by_id(now));
    let ids = then.checks.iter().chain(&now.checks).map(|check| check.id.as_str());
    let mut seen = Vec::new();
    for id in ids {
        if !seen.contains(&id) {
            seen.push(id);
            let said =
                |check: Option<&&Check>| check.map_or_else(|| "not checked".to_owned(), |it| words(it));
            tell(&format!("check `{id}`"), said(before.get(id)), said(after.get(id)));
        }
    }
    if let Some((place, then, now)) = first_other_line(then, now) {
        tell(&format!("line {place} of the transcript"), then, now);
    }
    found
}

fn by_id(result: &ScenarioResult) -> BTreeMap<&str, &Check> {
    result.checks.iter().map(|check| (check.id.as_str(), check)).collect()
}

fn words(check: &Check) -> String {
    let word = if check.held { "held" } else { "broken" };
    format!("{word}: wanted {}, seen {}", check.expected, check.observed)
}

fn first_other_line(then: &ScenarioResult, now: &ScenarioResult) -> Option<(usize, String, String)> {
    let (old, new) = (&then.transcript, &now.transcript);
    let place = (0..old.len().max(new.len())).find(|n| old.get(*n) != new.get(*n))?;
    let said = |line: Option<&crate::result::Line>| match line {
        Some(line) => format!("at {}µs {} {}", line.at_us, line.actor, line.text),
        None => "no line".to_owned(),
    };
    let (old, mut new) = (said(old.get(place)), said(new.get(place)));
    if old == new {
        new.push_str(", with other data");
    }
    Some((place, old, new))
}
