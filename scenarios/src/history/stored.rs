//! What is stored in the end: judged by the history that the server keeps, and by the final value.

use std::collections::{BTreeMap, BTreeSet};

use super::{FactHistory, Operation, Outcome, Proof};

type Checked = Result<(), Proof>;

/// Checks that every acknowledged write is stored exactly once under its version, that nothing else
/// is, and that the versions are one serial order without gaps. The error is the smallest proof.
pub fn serial_history(history: &FactHistory) -> Checked {
    let mut stored = versions(history)?;
    for operation in &history.operations {
        let found = stored.remove(operation.value.as_str());
        match (operation.outcome, found) {
            (Outcome::Acknowledged(version), Some(found)) if version == found => {}
            (Outcome::Acknowledged(version), found) => {
                let how =
                    found.map_or("is not stored: lost".to_owned(), |found| format!("is stored as {found}"));
                return wrong(operation, &format!("was acknowledged as version {version} and {how}"), None);
            }
            (Outcome::Refused, Some(found)) => {
                return wrong(operation, &format!("was refused and is stored as version {found}"), None);
            }
            _ => {}
        }
    }
    if let Some((value, version)) = stored.iter().next() {
        return Err(format!("version {version} holds `{value}`, and {}", history.whence(value)).into());
    }
    versions_follow_time(history)
}

/// Checks that whoever began when another write was acknowledged got a later version.
fn versions_follow_time(history: &FactHistory) -> Checked {
    let acknowledged = |operation| match operation {
        &Operation { outcome: Outcome::Acknowledged(version), .. } => Some((operation, version)),
        _ => None,
    };
    let mut by_call: Vec<_> = history.operations.iter().filter_map(acknowledged).collect();
    let mut by_answer = by_call.clone();
    by_call.sort_by_key(|(operation, _)| operation.span.from);
    by_answer.sort_by_key(|(operation, _)| operation.span.to);
    let mut answered = by_answer.into_iter().peekable();
    let mut latest: Option<(&Operation, i64)> = None;
    for (operation, version) in by_call {
        while let Some(earlier) = answered.next_if(|(earlier, _)| earlier.span.to < operation.span.from) {
            latest = latest.filter(|(_, version)| *version > earlier.1).or(Some(earlier));
        }
        if let Some((earlier, before)) = latest.filter(|(_, before)| *before >= version) {
            let how = format!(
                "was acknowledged as version {version} when `{}` had been as version {before} before it began",
                earlier.value
            );
            return wrong(operation, &how, Some(earlier));
        }
    }
    Ok(())
}

fn wrong(operation: &Operation, how: &str, earlier: Option<&Operation>) -> Checked {
    let told = format!("`{}` {how} ({})", operation.value, operation.span);
    Err(Proof::new(told, earlier.into_iter().chain([operation]).map(Operation::shown)))
}

/// Returns the versions by their values, if they are one order that ends in what is read.
fn versions(history: &FactHistory) -> Result<BTreeMap<&str, i64>, Proof> {
    let mut stored: BTreeMap<&str, i64> = BTreeMap::new();
    for (place, revision) in (1_i64..).zip(&history.revisions) {
        let (version, value) = (revision.version, revision.value.as_str());
        if version != place {
            return Err(format!("revision {place} of the stored history carries version {version}").into());
        }
        if let Some(before) = stored.insert(value, version) {
            return Err(
                format!("`{value}` is stored twice, as versions {before} and {version}: duplicate").into()
            );
        }
    }
    match history.revisions.last().filter(|last| last.value != history.last) {
        Some(last) => {
            let (read, version, value) = (&history.last, last.version, &last.value);
            Err(format!("`{read}` is read though version {version} holds `{value}`: stale").into())
        }
        None => Ok(stored),
    }
}

/// Checks that every acknowledged append is a word of the final value exactly once, and that no other
/// word is. The error is the smallest proof.
pub fn no_lost_update(history: &FactHistory) -> Checked {
    let mut words: BTreeSet<&str> = BTreeSet::new();
    for word in history.last.split_whitespace() {
        if !words.insert(word) {
            return Err(format!("`{word}` is in the final value twice: duplicate").into());
        }
    }
    for operation in &history.operations {
        let is_there = words.remove(operation.value.as_str());
        match operation.outcome {
            Outcome::Acknowledged(version) if !is_there => return lost(history, operation, version),
            Outcome::Refused if is_there => {
                return wrong(operation, "was refused and is in the final value", None);
            }
            _ => {}
        }
    }
    match words.first() {
        Some(word) => Err(format!("`{word}` is in the final value, and {}", history.whence(word)).into()),
        None => Ok(()),
    }
}

/// Tells which version left a word out, and who wrote that.
fn lost(history: &FactHistory, operation: &Operation, version: i64) -> Checked {
    let holds = |text: &str| text.split_whitespace().any(|word| word == operation.value);
    let overwriter = history
        .revisions
        .iter()
        .find(|revision| revision.version > version && !holds(&revision.value))
        .map(|revision| revision.version);
    let by = overwriter.map(|version| format!(", overwritten by version {version}")).unwrap_or_default();
    let told = format!(
        "`{}` was acknowledged as version {version} ({}) and is missing from the final value: lost update{by}",
        operation.value, operation.span
    );
    let is_overwriter = |other: &&Operation| {
        overwriter.is_some_and(|version| other.outcome == Outcome::Acknowledged(version))
    };
    let overwriter = history.operations.iter().find(is_overwriter);
    Err(Proof::new(told, [operation].into_iter().chain(overwriter).map(Operation::shown)))
}
