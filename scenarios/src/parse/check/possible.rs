//! Expectations that nothing could meet, or nothing could break.

use std::time::Duration;

use super::{Checked, Scope, at, wrong};
use crate::model::{Eventually, Name, Scenario, Sometimes};

/// What can be counted against the default settings; what these do not know is told when it is run.
pub(super) fn counts(id: &Name, some: &Sometimes, scope: &Scope) -> Checked {
    let count =
        |expr: &Option<crate::expr::Expr>| expr.as_ref().and_then(|expr| expr.count(&scope.settings).ok());
    let bounds = (count(&some.at_least), count(&some.at_most));
    if some.exactly.is_some() && (some.at_least.is_some() || some.at_most.is_some()) {
        let help = "leave `at_least` and `at_most` out, or `exactly`";
        return at(id, "`exactly` leaves nothing to bound".to_owned(), help);
    }
    match bounds {
        (Some(least), Some(most)) if least > most => {
            let message = format!("nothing comes at least {least} times and at most {most} times");
            at(id, message, "exchange the two, or give one of them")
        }
        (Some(0), None) if some.at_most.is_none() => at(
            id,
            "`at_least = 0` holds whatever happens".to_owned(),
            "give how many there must be, or `at_most`",
        ),
        _ => Ok(()),
    }
}

pub(super) fn times(id: &Name, eventually: &Eventually, scope: &Scope) -> Checked {
    let Ok(within) = eventually.within.duration(&scope.settings) else { return Ok(()) };
    if within == Duration::ZERO {
        let message = format!("`within = \"{}\"` leaves no time", eventually.within);
        return at(id, message, "give a time that is longer than nothing");
    }
    match eventually.not_before.as_ref().map(|early| early.duration(&scope.settings)) {
        Some(Ok(early)) if early > within => {
            let message = format!("nothing comes {early:?} after the mark or later and within {within:?}");
            at(id, message, "make `within` longer than `not_before`")
        }
        _ => Ok(()),
    }
}

pub(super) fn name(scenario: &Scenario) -> Checked {
    if scenario.tables.name.trim().is_empty() {
        return wrong(
            "scenario has an empty `name`".to_owned(),
            "say in it what a user sees when all is well".to_owned(),
        );
    }
    Ok(())
}
