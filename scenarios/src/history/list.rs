//! One text that grows word by word, as list-append histories are judged.

use std::collections::{BTreeMap, BTreeSet};

use super::{FactHistory, Moment, Operation, Outcome, Read};

pub(super) fn check(history: &FactHistory) -> Result<(), String> {
    let written: BTreeMap<&str, &Operation> =
        history.operations.iter().map(|write| (write.value.as_str(), write)).collect();
    let before: BTreeSet<&str> = history.before.iter().flat_map(|text| text.split_whitespace()).collect();
    for read in &history.reads {
        let mut seen = BTreeSet::new();
        for word in words(read) {
            if !seen.insert(word) {
                return Err(format!("{} with `{word}` twice: duplicate", told(read)));
            }
            if !before.contains(word) {
                may_be_read(word, read, (history, &written))?;
            }
        }
    }
    nothing_is_gone(history)?;
    one_order(history)
}

fn words(read: &Read) -> impl Iterator<Item = &str> {
    read.value.iter().flat_map(|text| text.split_whitespace())
}

fn told(read: &Read) -> String {
    let (who, n, span) = (&read.reader, words(read).count(), read.span);
    format!("reader {who} read {n} word{} ({span})", if n == 1 { "" } else { "s" })
}

fn may_be_read(
    word: &str,
    read: &Read,
    (history, written): (&FactHistory, &BTreeMap<&str, &Operation>),
) -> Result<(), String> {
    match written.get(word) {
        None => Err(format!("{} with `{word}` among them, and {}", told(read), history.whence(word))),
        Some(write) if write.outcome == Outcome::Refused => {
            Err(format!("{} with `{word}` among them, which was refused ({})", told(read), write.span))
        }
        Some(write) if read.span.to < write.span.from => {
            Err(format!("{} with `{word}` among them before it was written ({})", told(read), write.span))
        }
        Some(_) => Ok(()),
    }
}

/// Checks that what was acknowledged or read by somebody is in every read that begins later.
fn nothing_is_gone(history: &FactHistory) -> Result<(), String> {
    let mut known: BTreeMap<&str, (Moment, String)> = BTreeMap::new();
    for write in &history.operations {
        if matches!(write.outcome, Outcome::Acknowledged(_)) {
            let how = format!("was acknowledged to writer {} ({})", write.writer, write.span);
            known.insert(&write.value, (write.span.to, how));
        }
    }
    for read in &history.reads {
        for word in words(read) {
            if known.get(word).is_none_or(|(since, _)| read.span.to < *since) {
                let how = format!("was read by reader {} ({})", read.reader, read.span);
                known.insert(word, (read.span.to, how));
            }
        }
    }
    let mut by_time: Vec<_> = known.iter().map(|(word, (since, how))| (*since, *word, how)).collect();
    by_time.sort_unstable();
    for read in &history.reads {
        let due = by_time.partition_point(|(since, ..)| *since < read.span.from);
        let seen: BTreeSet<&str> = words(read).collect();
        if let Some((_, word, how)) = by_time[..due].iter().find(|(_, word, _)| !seen.contains(word)) {
            return Err(format!("`{word}` {how}, and later {} without it: it is gone", told(read)));
        }
    }
    Ok(())
}

/// Checks that every read is the beginning of the longest.
fn one_order(history: &FactHistory) -> Result<(), String> {
    let Some(longest) = history.reads.iter().max_by_key(|read| words(read).count()) else { return Ok(()) };
    let order: Vec<&str> = words(longest).collect();
    for read in &history.reads {
        if let Some((n, word)) = words(read).enumerate().find(|(n, word)| order[*n] != *word) {
            return Err(format!(
                "word {} is `{word}` when {}, and `{}` when {}: two orders",
                n + 1,
                told(read),
                order[n],
                told(longest)
            ));
        }
    }
    Ok(())
}
