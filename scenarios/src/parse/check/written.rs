//! Facts that are written at once, and questions to their histories.

use std::collections::BTreeSet;

use super::{Checked, Scope, count, named, user};
use crate::model::{History, Step, WriteFacts};

/// Returns the keys of the facts of which there is a history.
pub(super) fn keys(steps: &[Step]) -> BTreeSet<String> {
    let keys = steps.iter().flat_map(|step| match step {
        Step::WriteFacts(write) => {
            let others = write.also.iter().map(|other| other.key.clone());
            others.chain([write.key.clone()]).collect()
        }
        Step::Repeat { steps, .. } => keys(steps),
        _ => BTreeSet::new(),
    });
    keys.collect()
}

pub(super) fn step(write: &WriteFacts, scope: &Scope) -> Checked {
    user(&write.user, scope)?;
    write.also.iter().try_for_each(|other| user(&other.user, scope))
}

pub(super) fn history(wanted: &History, scope: &Scope) -> Checked {
    wanted.user.iter().try_for_each(|name| user(name, scope))?;
    count(&wanted.at_least, scope)?;
    named("key", &wanted.key, &scope.written)
}
