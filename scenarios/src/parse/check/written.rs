//! Facts that are written and suggestions that are decided upon at once, and questions to their histories.

use std::collections::BTreeSet;

use super::{Checked, Scope, about, at, count, known_in, named, user};
use crate::model::{Decide, History, HistoryCheck, Step, WriteFacts};

/// Returns the keys of the facts of which there is a history, and that are written so.
pub(super) fn keys(steps: &[Step], is_meant: impl Fn(&WriteFacts) -> bool) -> BTreeSet<String> {
    collect(steps, &|step| match step {
        Step::WriteFacts(write) if is_meant(write) => {
            let others = write.also.iter().map(|other| other.key.clone());
            others.chain([write.key.clone()]).collect()
        }
        _ => Vec::new(),
    })
}

/// Returns the names that answers are saved under.
pub(super) fn saved(steps: &[Step]) -> BTreeSet<String> {
    collect(steps, &|step| match step {
        Step::Http(call) => call.save.keys().cloned().collect(),
        _ => Vec::new(),
    })
}

/// Returns the suggestions that are decided upon.
pub(super) fn decided(steps: &[Step]) -> BTreeSet<String> {
    collect(steps, &|step| match step {
        Step::Decide(decide) => vec![decide.suggestion.get_ref().clone()],
        _ => Vec::new(),
    })
}

fn collect(steps: &[Step], names: &impl Fn(&Step) -> Vec<String>) -> BTreeSet<String> {
    let found = steps.iter().flat_map(|step| match step {
        Step::Repeat { steps, .. } => collect(steps, names),
        step => names(step).into_iter().collect(),
    });
    found.collect()
}

pub(super) fn step(write: &WriteFacts, scope: &Scope) -> Checked {
    user(&write.user, scope)?;
    if let Some(calls) = &write.killed_after {
        count(calls, scope)?;
        if !scope.needs.contains("process") {
            let message = "`killed_after` is about a target that was started here".to_owned();
            return at(&write.user, message, "add `needs = [\"process\"]`");
        }
    }
    write.also.iter().try_for_each(|other| user(&other.user, scope))
}

pub(super) fn decide(decide: &Decide, scope: &Scope) -> Checked {
    user(&decide.user, scope)?;
    decide.stranger.iter().try_for_each(|name| user(name, scope))?;
    if scope.saved.is_empty() {
        let message = format!("nothing is saved as `{}`", decide.suggestion.get_ref());
        return at(&decide.suggestion, message, "save the suggestion's id in an `http` step before");
    }
    known_in("saved value", &decide.suggestion, scope.saved.iter().map(String::as_str))?;
    if decide.confirm == 0 && decide.dismiss == 0 {
        let message = "`decide` lets nobody decide".to_owned();
        return at(&decide.suggestion, message, "give `confirm`, `dismiss` or both");
    }
    Ok(())
}

pub(super) fn history(wanted: &History, scope: &Scope) -> Checked {
    wanted.user.iter().try_for_each(|name| user(name, scope))?;
    count(&wanted.at_least, scope)?;
    let needs_one_of_each = matches!(wanted.check, HistoryCheck::SerialHistory | HistoryCheck::NoLostUpdate);
    if needs_one_of_each && scope.repeated.contains(&wanted.key) {
        let message = format!(
            "`{}` is written with few `values`, so that nobody knows which write is stored",
            wanted.key
        );
        return about(
            &wanted.key,
            message,
            "leave `values` out, or check that it is `linearizable`".to_owned(),
        );
    }
    match wanted.check {
        HistoryCheck::DecidedOnce => named("suggestion", &wanted.key, &scope.decided),
        _ => named("key", &wanted.key, &scope.written),
    }
}
