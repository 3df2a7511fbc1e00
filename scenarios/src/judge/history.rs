//! Expectations about histories of concurrent operations.

use super::Finding;
use crate::{
    expr::ExprError,
    history::{FactHistory, linearizable, no_lost_update, serial_history},
    model::{History, HistoryCheck},
    observation::Observation,
};

/// Judges the history that an expectation speaks of.
pub(super) fn judge(wanted: &History, seen: &Observation) -> Result<Finding, ExprError> {
    let floor = wanted.at_least.count(&seen.settings)?;
    let is_meant = |history: &&FactHistory| {
        history.key == wanted.key && wanted.user.as_ref().is_none_or(|name| *name.get_ref() == history.user)
    };
    let Some(history) = seen.histories.iter().find(is_meant) else {
        return Ok(finding(wanted, Err(format!("nobody wrote `{}`", wanted.key)), None));
    };
    let outcome = match wanted.check {
        HistoryCheck::SerialHistory => serial_history(history),
        HistoryCheck::NoLostUpdate => no_lost_update(history),
        HistoryCheck::Linearizable => linearizable(history),
    };
    let (acknowledged, reads) = (history.acknowledged(), history.reads.len());
    let told = match wanted.check {
        HistoryCheck::Linearizable => format!("{acknowledged} acknowledged, {reads} read, in one order"),
        _ => format!("{acknowledged} acknowledged, all in place"),
    };
    let few = ((acknowledged as u64) < floor).then(|| {
        let all = history.operations.len();
        format!("only {acknowledged} of {all} writes were acknowledged, at least {floor} are needed")
    });
    // The last read, after everything else, is the harness's own.
    let unread = (wanted.check == HistoryCheck::Linearizable && reads <= 1)
        .then(|| format!("nobody read `{}` while it was written", wanted.key));
    Ok(finding(wanted, outcome.map(|()| told), few.or(unread)))
}

fn finding(wanted: &History, outcome: Result<String, String>, thin: Option<String>) -> Finding {
    let expected = match wanted.check {
        HistoryCheck::SerialHistory => "every acknowledged write once, in one serial order",
        HistoryCheck::NoLostUpdate => "every acknowledged word once in the final value",
        HistoryCheck::Linearizable => "reads and writes as if one came after the other",
    };
    let held = outcome.is_ok();
    let observed = outcome.unwrap_or_else(|proof| proof);
    Finding { held, expected: expected.to_owned(), observed, evidence: Vec::new(), thin }
}
