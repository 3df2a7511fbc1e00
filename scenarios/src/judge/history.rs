//! Expectations about histories of concurrent operations.

use super::Finding;
use crate::{
    expr::ExprError,
    history::{FactHistory, decided_once, linearizable, no_lost_update, serial_history},
    model::{History, HistoryCheck},
    observation::Observation,
};

/// What a history shows: that it is sound, or the proof that it is not; and what there is too little of.
type Shown = (Result<String, String>, Option<String>);

/// Judges the history that an expectation speaks of.
pub(super) fn judge(wanted: &History, seen: &Observation) -> Result<Finding, ExprError> {
    let floor = wanted.at_least.count(&seen.settings)?;
    let shown = match wanted.check {
        HistoryCheck::DecidedOnce => decisions(wanted, seen, floor),
        _ => operations(wanted, seen, floor),
    };
    let (outcome, thin) =
        shown.unwrap_or_else(|| (Err(format!("there is no history of `{}`", wanted.key)), None));
    let expected = match wanted.check {
        HistoryCheck::SerialHistory => "every acknowledged write once, in one serial order",
        HistoryCheck::NoLostUpdate => "every acknowledged word once in the final value",
        HistoryCheck::Linearizable => "reads and writes as if one came after the other",
        HistoryCheck::DecidedOnce => "one confirmation or a dismissal, the same for all",
    };
    let (held, expected) = (outcome.is_ok(), expected.to_owned());
    let observed = outcome.unwrap_or_else(|proof| proof);
    Ok(Finding { held, expected, observed, evidence: Vec::new(), thin })
}

fn operations(wanted: &History, seen: &Observation, floor: u64) -> Option<Shown> {
    let is_meant = |history: &&FactHistory| {
        history.key == wanted.key && wanted.user.as_ref().is_none_or(|name| *name.get_ref() == history.user)
    };
    let history = seen.histories.iter().find(is_meant)?;
    let (acknowledged, reads) = (history.acknowledged(), history.reads.len());
    let in_place = format!("{acknowledged} acknowledged, all in place");
    let outcome = match wanted.check {
        HistoryCheck::NoLostUpdate => no_lost_update(history).map(|()| in_place),
        HistoryCheck::Linearizable => {
            linearizable(history).map(|()| format!("{acknowledged} acknowledged, {reads} read, in one order"))
        }
        _ => serial_history(history).map(|()| in_place),
    };
    let few = too_few("writes", (acknowledged, history.operations.len()), floor);
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
