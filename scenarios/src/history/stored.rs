//! What is stored in the end: judged by the history that the server keeps, and by the final value.

use std::collections::{BTreeMap, BTreeSet};

use super::{FactHistory, Outcome};

/// Checks that every acknowledged write is stored exactly once under its version, that nothing else
/// is, and that the versions are one serial order without gaps. The error is the smallest proof.
pub fn serial_history(history: &FactHistory) -> Result<(), String> {
    let mut stored: BTreeMap<&str, i64> = BTreeMap::new();
    for (place, revision) in (1_i64..).zip(&history.revisions) {
        if revision.version != place {
            return Err(format!(
                "revision {place} of the stored history carries version {}",
                revision.version
            ));
        }
        if let Some(before) = stored.insert(&revision.value, revision.version) {
            return Err(format!(
                "`{}` is stored twice, as versions {before} and {}: duplicate",
                revision.value, revision.version
            ));
        }
    }
    if let Some(last) = history.revisions.last().filter(|last| last.value != history.last) {
        return Err(format!(
            "`{}` is read though version {} holds `{}`: stale",
            history.last, last.version, last.value
        ));
    }
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for operation in &history.operations {
        if let Outcome::Acknowledged(version) = operation.outcome {
            let before = versions.insert(&operation.writer, version).unwrap_or_default();
            if before >= version {
                return Err(format!(
                    "`{}` was acknowledged as version {version} after the same writer's version {before}",
                    operation.value
                ));
            }
        }
        let place = stored.remove(operation.value.as_str());
        match (operation.outcome, place) {
            (Outcome::Acknowledged(version), None) => {
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is not stored: lost",
                    operation.value
                ));
            }
            (Outcome::Acknowledged(version), Some(found)) if version != found => {
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is stored as {found}",
                    operation.value
                ));
            }
            (Outcome::Refused, Some(found)) => {
                return Err(format!("`{}` was refused and is stored as version {found}", operation.value));
            }
            _ => {}
        }
    }
    stored.iter().next().map_or(Ok(()), |(value, version)| {
        Err(format!("version {version} holds `{value}`, and {}", history.whence(value)))
    })
}

/// Checks that every acknowledged append is a word of the final value exactly once, and that no other
/// word is. The error is the smallest proof.
pub fn no_lost_update(history: &FactHistory) -> Result<(), String> {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for word in history.last.split_whitespace() {
        if !words.insert(word) {
            return Err(format!("`{word}` is in the final value twice: duplicate"));
        }
    }
    for operation in &history.operations {
        let is_there = words.remove(operation.value.as_str());
        match operation.outcome {
            Outcome::Acknowledged(version) if !is_there => {
                let overwriter = history.revisions.iter().find(|revision| {
                    revision.version > version
                        && !revision.value.split_whitespace().any(|w| w == operation.value)
                });
                let by =
                    overwriter.map(|r| format!(", overwritten by version {}", r.version)).unwrap_or_default();
                return Err(format!(
                    "`{}` was acknowledged as version {version} and is missing from the final value: lost update{by}",
                    operation.value
                ));
            }
            Outcome::Refused if is_there => {
                return Err(format!("`{}` was refused and is in the final value", operation.value));
            }
            _ => {}
        }
    }
    words
        .first()
        .map_or(Ok(()), |word| Err(format!("`{word}` is in the final value, and {}", history.whence(word))))
}
