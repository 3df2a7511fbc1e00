//! From an observation to checks and a verdict.
//!
//! Nothing is run here: the same evidence judged twice gives the same result.

mod history;
mod near;

use std::time::Duration;

use clock::Instant;

use crate::{
    expr::{Expr, ExprError},
    invariant, matching,
    model::{Always, Eventually, Expect, LogMatch, MetricMatch, Never, Scenario, Sometimes, Subject},
    observation::Observation,
    prose,
    record::What,
    result::{Check, CheckSource, FaultFired, Verdict},
    run::STEADY_BEFORE,
    transcript::{Origin, Transcript},
};

/// How many events a failing check shows at most.
const EVIDENCE: usize = 4;

pub(crate) use history::tell_proofs;

/// What a judgement finds.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) reason: String,
    pub(crate) checks: Vec<Check>,
    pub(crate) faults: Vec<FaultFired>,
}

/// Judges a scenario by what was seen.
pub(crate) fn judge(scenario: &Scenario, seen: &Observation, transcript: &Transcript) -> Judgement {
    if let Some(check) = seen.steady.iter().find(|check| !check.held && check.id == STEADY_BEFORE) {
        // Nothing was done, so there is nothing to expect.
        let reason = format!("{}: {}", check.id, check.observed);
        let checks = seen.steady.clone();
        return Judgement { verdict: Verdict::Inconclusive, reason, checks, faults: Vec::new() };
    }
    let mut checks = Vec::new();
    let mut thin = unmet(scenario, seen);
    for expect in &scenario.tables.expect {
        match expectation(expect, seen) {
            Ok(finding) => {
                thin = thin.or(finding.thin.clone());
                checks.push(finding.into_check(expect, transcript));
            }
            Err(error) => return broken(error.to_string()),
        }
    }
    checks.extend(invariant::judge(seen, transcript));
    checks.extend(seen.steady.iter().cloned());
    let faults = faults(scenario, seen);
    let (verdict, reason) = verdict(&checks, &faults, thin);
    Judgement { verdict, reason, checks, faults }
}

fn broken(reason: String) -> Judgement {
    Judgement { verdict: Verdict::Error, reason, checks: Vec::new(), faults: Vec::new() }
}

fn verdict(checks: &[Check], faults: &[FaultFired], thin: Option<String>) -> (Verdict, String) {
    if let Some(Check { id, expected, observed, .. }) = checks.iter().find(|check| !check.held) {
        return (Verdict::Fail, format!("{id}: expected {expected}, observed {observed}"));
    }
    if let Some(fault) = faults.iter().find(|fault| fault.fired == 0) {
        return (Verdict::Inconclusive, format!("fault `{}` never went over the wire", fault.id));
    }
    thin.map_or((Verdict::Pass, String::new()), |reason| (Verdict::Inconclusive, reason))
}

/// Finds what the scenario relied on and did not get: evidence that never came, a mark that was never
/// reached, a rule of the script that nothing asked for.
fn unmet(scenario: &Scenario, seen: &Observation) -> Option<String> {
    let missing = seen.events.iter().find_map(|event| match &event.what {
        What::Missing(text) => Some(text.clone()),
        _ => None,
    });
    let marks = scenario.tables.expect.iter().flat_map(Expect::marks);
    let unreached = || {
        marks.filter(|mark| seen.mark(mark).is_none()).map(|mark| format!("mark `{mark}` was never reached"))
    };
    missing.or_else(|| unreached().next()).or_else(|| idle_rule(scenario, seen))
}

/// Finds a rule of the first script that answered nothing. A later script is not looked at: its rules
/// have the same places.
fn idle_rule(scenario: &Scenario, seen: &Observation) -> Option<String> {
    let until = seen.first_script.unwrap_or(seen.exchanges.len());
    let rules = scenario.tables.llm.rules.iter().enumerate();
    rules
        .map(|(n, rule)| rule.name.clone().unwrap_or_else(|| format!("rule {}", n + 1)))
        .find(|name| !seen.exchanges[..until].iter().any(|exchange| exchange.rule.as_ref() == Some(name)))
        .map(|name| format!("`{name}` of the model's script answered nothing"))
}

/// Counts how often each fault of the script really fired.
fn faults(scenario: &Scenario, seen: &Observation) -> Vec<FaultFired> {
    let mut ids: Vec<String> = crate::run::planned_faults(&scenario.tables);
    ids.sort();
    ids.dedup();
    let fired = |id: &str| {
        let all = seen.exchanges.iter().flat_map(|exchange| &exchange.faults);
        all.filter(|fault| fault.fired && fault.id == id).count() as u64
    };
    ids.into_iter().map(|id| FaultFired { fired: fired(&id), id }).collect()
}

/// What one expectation found.
#[derive(Debug)]
struct Finding {
    held: bool,
    expected: String,
    observed: String,
    evidence: Vec<Origin>,
    /// Why there was too little to judge.
    thin: Option<String>,
}

impl Finding {
    fn into_check(self, expect: &Expect, transcript: &Transcript) -> Check {
        let evidence = transcript.places(&self.evidence[..self.evidence.len().min(EVIDENCE)]);
        let mut observed = self.observed;
        let is_of_events = expect.never.is_some() || expect.always.is_some();
        if is_of_events && let Some(line) = evidence.first().map(|place| &transcript.lines[*place]) {
            // What must not be is told, not only counted.
            observed = format!("{observed}: {} {}", line.actor, line.text);
        }
        Check {
            id: expect.id.get_ref().clone(),
            source: CheckSource::Expectation,
            held: self.held,
            expected: self.expected,
            observed,
            evidence,
        }
    }
}

fn expectation(expect: &Expect, seen: &Observation) -> Result<Finding, ExprError> {
    if let Some(never) = &expect.never {
        Ok(judge_never(never, seen))
    } else if let Some(sometimes) = &expect.sometimes {
        judge_sometimes(sometimes, seen)
    } else if let Some(eventually) = &expect.eventually {
        judge_eventually(eventually, seen)
    } else if let Some(always) = &expect.always {
        judge_always(always, seen)
    } else if let Some(wanted) = &expect.history {
        history::judge(expect, wanted, seen)
    } else {
        Ok(Finding {
            held: false,
            expected: "a kind".to_owned(),
            observed: "none".to_owned(),
            evidence: vec![],
            thin: None,
        })
    }
}

/// An event that matched, and when.
type Hit = (Instant, Origin);

fn hits(subject: &Subject, seen: &Observation) -> Vec<Hit> {
    match subject {
        Subject::Upstream(wanted) => {
            let exchanges = seen.exchanges.iter().enumerate();
            exchanges
                .filter(|(_, exchange)| matching::upstream(wanted, exchange, &seen.settings))
                .map(|(n, exchange)| (exchange.at, Origin::Exchange(n)))
                .collect()
        }
        Subject::Metric(_) | Subject::Log(_) => Vec::new(),
        _ => {
            let events = seen.events.iter().enumerate();
            events
                .filter(|(_, event)| is_hit(subject, &event.actor, &event.what))
                .map(|(n, event)| (event.at, Origin::Event(n)))
                .collect()
        }
    }
}

fn is_hit(subject: &Subject, actor: &str, what: &What) -> bool {
    match (subject, what) {
        (Subject::Frame(wanted), What::Frame(frame)) => matching::frame(wanted, actor, frame),
        (Subject::Http(wanted), What::Http(answer)) => matching::http(wanted, answer),
        (Subject::Socket(wanted), what) => matching::socket(wanted, actor, what),
        _ => false,
    }
}

/// Keeps the hits between two marks; a mark that was never reached leaves none.
fn between(hits: Vec<Hit>, seen: &Observation, marks: [&Option<String>; 2]) -> Vec<Hit> {
    let [after, before] = marks.map(|mark| mark.as_ref().map(|name| seen.mark(name)));
    let is_inside = |origin: Origin| {
        after.is_none_or(|mark| mark.is_some_and(|mark| mark.is_before(origin)))
            && before.is_none_or(|mark| mark.is_some_and(|mark| !mark.is_before(origin)))
    };
    hits.into_iter().filter(|(_, origin)| is_inside(*origin)).collect()
}

fn origins(hits: &[Hit]) -> Vec<Origin> {
    hits.iter().map(|(_, origin)| *origin).collect()
}

fn judge_never(never: &Never, seen: &Observation) -> Finding {
    match &never.on {
        Subject::Metric(metric) => return judge_metric(metric, seen, (0, 0)),
        Subject::Log(wanted) => return judge_log(wanted, seen, (0, 0)),
        _ => {}
    }
    let found = between(hits(&never.on, seen), seen, [&never.after, &never.before]);
    Finding {
        held: found.is_empty(),
        expected: format!("none ({})", prose::subject(&never.on)),
        observed: found.len().to_string(),
        evidence: origins(&found),
        thin: None,
    }
}

fn judge_sometimes(some: &Sometimes, seen: &Observation) -> Result<Finding, ExprError> {
    let count = |expr: &Option<Expr>| expr.as_ref().map(|expr| expr.count(&seen.settings)).transpose();
    let (exactly, at_least, at_most) = (count(&some.exactly)?, count(&some.at_least)?, count(&some.at_most)?);
    let floor = exactly.or(at_least).unwrap_or(u64::from(at_most.is_none()));
    let ceiling = exactly.or(at_most).unwrap_or(u64::MAX);
    match &some.on {
        Subject::Metric(metric) => return Ok(judge_metric(metric, seen, (floor, ceiling))),
        Subject::Log(wanted) => return Ok(judge_log(wanted, seen, (floor, ceiling))),
        _ => {}
    }
    let found = between(hits(&some.on, seen), seen, [&some.after, &some.before]);
    let n = found.len() as u64;
    let mut evidence = match usize::try_from(ceiling) {
        Ok(most) if found.len() > most => origins(&found[most..]),
        _ => origins(&found),
    };
    let mut observed = n.to_string();
    if n == 0
        && floor > 0
        && let Some((told, origin)) = near::miss(some, seen)
    {
        observed = format!("none; {told}");
        evidence = vec![origin];
    }
    Ok(Finding {
        held: (floor..=ceiling).contains(&n),
        expected: format!("{} ({})", range(floor, ceiling), prose::subject(&some.on)),
        observed,
        evidence,
        thin: None,
    })
}

fn range(floor: u64, ceiling: u64) -> String {
    match (floor, ceiling) {
        (floor, ceiling) if floor == ceiling => format!("exactly {floor}"),
        (floor, u64::MAX) => format!("at least {floor}"),
        (0, ceiling) => format!("at most {ceiling}"),
        (floor, ceiling) => format!("from {floor} to {ceiling}"),
    }
}

fn judge_log(wanted: &LogMatch, seen: &Observation, (floor, ceiling): (u64, u64)) -> Finding {
    let mut lines = seen.log.iter().filter(|line| line.contains(&wanted.contains));
    let first = lines.next();
    let n = first.iter().count() + lines.count();
    Finding {
        held: (floor..=ceiling).contains(&(n as u64)),
        expected: format!("{} ({})", range(floor, ceiling), prose::subject(&Subject::Log(wanted.clone()))),
        observed: first.map_or_else(|| "none".to_owned(), |line| format!("{n}, the first: {line}")),
        evidence: Vec::new(),
        thin: None,
    }
}

fn judge_metric(wanted: &MetricMatch, seen: &Observation, (floor, ceiling): (u64, u64)) -> Finding {
    let metrics = seen.metrics.as_deref().unwrap_or_default();
    let has_labels = |metric: &&crate::observation::Metric| {
        wanted.labels.iter().all(|(name, value)| metric.labels.get(name) == Some(value))
    };
    let value: f64 =
        metrics.iter().filter(|m| m.name == wanted.name).filter(has_labels).map(|m| m.value).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counters are small and not negative"
    )]
    let held = (floor..=ceiling).contains(&(value.max(0.0).round() as u64));
    Finding {
        held,
        expected: format!("`{}` {}", wanted.name, range(floor, ceiling)),
        observed: value.to_string(),
        evidence: Vec::new(),
        thin: None,
    }
}

fn judge_eventually(wanted: &Eventually, seen: &Observation) -> Result<Finding, ExprError> {
    let within = wanted.within.duration(&seen.settings)?;
    let not_before =
        wanted.not_before.as_ref().map_or(Ok(Duration::ZERO), |expr| expr.duration(&seen.settings))?;
    let expected = if not_before.is_zero() {
        format!("within {within:?} of `{}`", wanted.after)
    } else {
        format!("from {not_before:?} to {within:?} after `{}`", wanted.after)
    };
    let expected = format!("{expected} ({})", prose::subject(&wanted.on));
    let Some(mark) = seen.mark(&wanted.after) else {
        let observed = format!("mark `{}` was never reached", wanted.after);
        return Ok(Finding { held: false, expected, observed, evidence: vec![], thin: None });
    };
    let first = hits(&wanted.on, seen).into_iter().find(|(_, origin)| mark.is_before(*origin));
    let delay = first.map(|(at, _)| at.since(mark.at));
    let held = delay.is_some_and(|delay| delay <= within + seen.slack && delay + seen.slack >= not_before);
    Ok(Finding {
        held,
        expected,
        observed: delay.map_or_else(|| "none".to_owned(), |delay| format!("after {delay:?}")),
        evidence: first.map(|(_, origin)| origin).into_iter().collect(),
        thin: None,
    })
}

fn judge_always(always: &Always, seen: &Observation) -> Result<Finding, ExprError> {
    let floor = always.at_least.as_ref().map_or(Ok(1), |expr| expr.count(&seen.settings))?;
    let found = between(hits(&always.on, seen), seen, [&always.after, &None]);
    let good = hits(&always.is, seen);
    let bad: Vec<Hit> = found.iter().filter(|hit| !good.contains(hit)).copied().collect();
    let thin = ((found.len() as u64) < floor)
        .then(|| format!("only {} events to judge, at least {floor} are needed", found.len()));
    Ok(Finding {
        held: bad.is_empty(),
        expected: format!("each ({}) is {}", prose::subject(&always.on), prose::subject(&always.is)),
        observed: format!("{} of {}", found.len() - bad.len(), found.len()),
        evidence: origins(&bad),
        thin,
    })
}

#[cfg(test)]
mod tests;
