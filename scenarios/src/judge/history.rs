//! Expectations about histories of concurrent operations.

use super::Finding;
use crate::{
    expr::ExprError,
    history::{
        Doubt, FactHistory, Moment, Proof, decided_once, linearizable, no_lost_update, serial_history,
    },
    model::{Expect, History, HistoryCheck, Scenario},
    observation::Observation,
    record::{Event, What},
    transcript::Origin,
};

/// What a history shows: that it is sound, or the proof that it is not; and what there is too little of.
type Shown = (Result<String, Proof>, Option<String>);

/// Judges the history that an expectation speaks of.
pub(super) fn judge(expect: &Expect, wanted: &History, seen: &Observation) -> Result<Finding, ExprError> {
    let floor = wanted.at_least.count(&seen.settings)?;
    let (outcome, thin) = shown(wanted, seen, floor);
    let expected = match wanted.check {
        HistoryCheck::SerialHistory => "every acknowledged write once, in one serial order",
        HistoryCheck::NoLostUpdate => "every acknowledged word once in the final value",
        HistoryCheck::Linearizable => "reads and writes as if one came after the other",
        HistoryCheck::DecidedOnce => "one confirmation or a dismissal, the same for all",
    };
    let (held, expected) = (outcome.is_ok(), expected.to_owned());
    let observed = outcome.unwrap_or_else(|proof| proof.told);
    Ok(Finding { held, expected, observed, evidence: told_before(expect, seen), thin })
}

/// Adds the operations that prove a history to be wrong to the record, each at its time.
pub(crate) fn tell_proofs(scenario: &Scenario, seen: &mut Observation) {
    for expect in &scenario.tables.expect {
        let Some(wanted) = &expect.history else { continue };
        let Err(proof) = shown(wanted, seen, 0).0 else { continue };
        let event = |(moment, text): (Moment, String)| Event {
            at: seen.histories_began + moment.at,
            actor: "harness".to_owned(),
            what: What::Proof { of: expect.id.get_ref().clone(), text },
        };
        let told: Vec<_> = proof.operations.into_iter().map(event).collect();
        seen.events.extend(told);
    }
}

/// Returns the operations that were added to the record.
fn told_before(expect: &Expect, seen: &Observation) -> Vec<Origin> {
    let events = seen.events.iter().enumerate();
    let is_of_it = |what: &What| matches!(what, What::Proof { of, .. } if of == expect.id.get_ref());
    events.filter(|(_, event)| is_of_it(&event.what)).map(|(n, _)| Origin::Event(n)).collect()
}

fn shown(wanted: &History, seen: &Observation, floor: u64) -> Shown {
    let shown = match wanted.check {
        HistoryCheck::DecidedOnce => decisions(wanted, seen, floor),
        _ => operations(wanted, seen, floor),
    };
    shown.unwrap_or_else(|| (Err(format!("there is no history of `{}`", wanted.key).into()), None))
}

fn operations(wanted: &History, seen: &Observation, floor: u64) -> Option<Shown> {
    let is_meant = |history: &&FactHistory| {
        history.key == wanted.key && wanted.user.as_ref().is_none_or(|name| *name.get_ref() == history.user)
    };
    let history = seen.histories.iter().find(is_meant)?;
    let (acknowledged, reads) = (history.acknowledged(), history.reads.len());
    let in_place = format!("{acknowledged} acknowledged, all in place");
    let mut undecided = None;
    let outcome = match wanted.check {
        HistoryCheck::NoLostUpdate => no_lost_update(history).map(|()| in_place),
        HistoryCheck::Linearizable => match linearizable(history) {
            Ok(()) => Ok(format!("{acknowledged} acknowledged, {reads} read, in one order")),
            Err(Doubt::Proved(proof)) => Err(proof),
            Err(Doubt::Undecided(why)) => {
                undecided = Some(why.clone());
                Ok(why)
            }
        },
        _ => serial_history(history).map(|()| in_place),
    };
    let few = too_few("writes", (acknowledged, history.operations.len()), floor).or(undecided);
    // The last read, after everything else, is the harness's own.
    let unread = (wanted.check == HistoryCheck::Linearizable && reads <= 1)
        .then(|| format!("nobody read `{}` while it was written", wanted.key));
    Some((outcome, few.or(unread)))
}

fn decisions(wanted: &History, seen: &Observation, floor: u64) -> Option<Shown> {
    let history = seen.decisions.iter().find(|history| history.name == wanted.key)?;
    let (acknowledged, all) = (history.acknowledged(), history.decisions.len());
    let outcome = decided_once(history).map(|()| format!("{acknowledged} of {all} acknowledged, all alike"));
    Some((outcome, too_few("decisions", (acknowledged, all), floor)))
}

fn too_few(what: &str, (acknowledged, all): (usize, usize), floor: u64) -> Option<String> {
    ((acknowledged as u64) < floor).then(|| {
        format!("only {acknowledged} of {all} {what} were acknowledged, at least {floor} are needed")
    })
}
