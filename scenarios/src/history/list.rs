//! One text that grows word by word, as list-append histories are judged, for words that are written once.

use std::collections::{BTreeMap, BTreeSet};

use super::{FactHistory, Moment, Operation, Outcome, Proof, Read};

pub(super) fn check(history: &FactHistory) -> Result<(), Proof> {
    let written: BTreeMap<&str, &Operation> =
        history.operations.iter().map(|write| (write.value.as_str(), write)).collect();
    let before: BTreeSet<&str> = history.before.iter().flat_map(|text| text.split_whitespace()).collect();
    for read in &history.reads {
        let mut seen = BTreeSet::new();
        for word in words(read) {
            if !seen.insert(word) {
                return Err(Proof::new(
                    format!("{} with `{word}` twice: duplicate", told(read)),
                    [read.shown()],
                ));
            }
            if !before.contains(word) {
                may_be_read(word, read, (history, &written))?;
            }
        }
    }
    nothing_is_gone(history)?;
    one_order(history)?;
    order_of_time(history, &written)
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
) -> Result<(), Proof> {
    let with = format!("{} with `{word}` among them", told(read));
    match written.get(word) {
        None => Err(Proof::new(format!("{with}, and {}", history.whence(word)), [read.shown()])),
        Some(write) if write.outcome == Outcome::Refused => {
            let told = format!("{with}, which was refused ({})", write.span);
            Err(Proof::new(told, [write.shown(), read.shown()]))
        }
        Some(write) if read.span.to < write.span.from => {
            let told = format!("{with} before it was written ({})", write.span);
            Err(Proof::new(told, [read.shown(), write.shown()]))
        }
        Some(_) => Ok(()),
    }
}

/// Checks that what was acknowledged or read by somebody is in every read that begins later.
fn nothing_is_gone(history: &FactHistory) -> Result<(), Proof> {
    let mut known: BTreeMap<&str, (Moment, &'static str, (Moment, String))> = BTreeMap::new();
    for write in &history.operations {
        if matches!(write.outcome, Outcome::Acknowledged(_)) {
            known.insert(&write.value, (write.span.to, "was acknowledged", write.shown()));
        }
    }
    for read in &history.reads {
        for word in words(read) {
            if known.get(word).is_none_or(|(since, ..)| read.span.to < *since) {
                known.insert(word, (read.span.to, "was read", read.shown()));
            }
        }
    }
    let mut by_time: Vec<_> = known.iter().map(|(word, (since, how, by))| (*since, *word, how, by)).collect();
    by_time.sort_unstable();
    for read in &history.reads {
        let due = by_time.partition_point(|(since, ..)| *since < read.span.from);
        let seen: BTreeSet<&str> = words(read).collect();
        if let Some((since, word, how, by)) = by_time[..due].iter().find(|(_, word, ..)| !seen.contains(word))
        {
            let told =
                format!("`{word}` {how} (#{}), and later {} without it: it is gone", since.place, told(read));
            return Err(Proof::new(told, [(*by).clone(), read.shown()]));
        }
    }
    Ok(())
}

/// Returns the read that saw most; all others saw the beginning of it.
fn longest(history: &FactHistory) -> Option<&Read> {
    history.reads.iter().max_by_key(|read| words(read).count())
}

/// Checks that every read is the beginning of the longest.
fn one_order(history: &FactHistory) -> Result<(), Proof> {
    let Some(longest) = longest(history) else { return Ok(()) };
    let order: Vec<&str> = words(longest).collect();
    for read in &history.reads {
        if let Some((n, word)) = words(read).enumerate().find(|(n, word)| order[*n] != *word) {
            let (n, one, other) = (n + 1, told(read), told(longest));
            let told =
                format!("word {n} is `{word}` when {one}, and `{}` when {other}: two orders", order[n - 1]);
            return Err(Proof::new(told, [read.shown(), longest.shown()]));
        }
    }
    Ok(())
}

/// Checks that no word is there before another one, or without it, that was acknowledged before the first was begun.
fn order_of_time(history: &FactHistory, written: &BTreeMap<&str, &Operation>) -> Result<(), Proof> {
    let Some(longest) = longest(history) else { return Ok(()) };
    let seen: BTreeSet<&str> = words(longest).collect();
    let unseen = history.operations.iter().filter(|write| !seen.contains(&*write.value));
    let in_order = words(longest).filter_map(|word| written.get(word).copied());
    // Of the words so far, the one that was begun last.
    let mut last: Option<&Operation> = None;
    for (write, place) in
        in_order.map(|write| (write, "before")).chain(unseen.map(|write| (write, "without")))
    {
        let is_acknowledged = matches!(write.outcome, Outcome::Acknowledged(_));
        if let Some(last) = last.filter(|last| is_acknowledged && write.span.to < last.span.from) {
            let (one, other, read) = (&last.value, &write.value, told(longest));
            let (end, begin) = (write.span.to.place, last.span.from.place);
            let told = format!(
                "`{one}` is there {place} `{other}` when {read}, though `{other}` was acknowledged (#{end}) before \
                 `{one}` was begun (#{begin}): out of order"
            );
            return Err(Proof::new(told, [write.shown(), last.shown(), longest.shown()]));
        }
        if place == "before" {
            last = last.filter(|last| last.span.from > write.span.from).or(Some(write));
        }
    }
    Ok(())
}
