//! What must hold in every scenario without being named.
//!
//! These are the promises that a user takes for granted. Each looks only at what was seen from
//! outside.

mod process;
mod stream;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    observation::Observation,
    record::What,
    result::{Check, CheckSource},
    transcript::{Origin, Transcript},
};

/// Each accepted message gets exactly one end of turn.
pub(crate) const ONE_END: &str = "one end per message";
/// Nothing arrives after the end of the last turn.
pub(crate) const NOTHING_AFTER: &str = "nothing after the end";
/// Every device of `chat.v1` is told everything once.
pub(crate) const IN_ORDER: &str = "every device is told all, once and in order";
/// Nobody gets what belongs to somebody else.
pub(crate) const OWN_FRAMES: &str = "no frame of another user";
/// Users read language, not protocol.
pub(crate) const CLEAN_TEXT: &str = "no wire garbage in texts";
/// A turn that is over holds no connection to the model.
pub(crate) const UPSTREAM_CLOSED: &str = "no upstream connection outlives its turn";
/// The server does not panic.
pub(crate) const NO_PANIC: &str = "no panic";

/// It does not end by itself either.
pub(crate) const LIVES_ON: &str = "the target lives on";
/// It does not hoard.
pub(crate) const MEMORY_BOUNDED: &str = "memory bounded";

/// All ids, in the order of reports.
pub(crate) const IDS: [&str; 9] = [
    ONE_END,
    NOTHING_AFTER,
    IN_ORDER,
    OWN_FRAMES,
    CLEAN_TEXT,
    UPSTREAM_CLOSED,
    NO_PANIC,
    LIVES_ON,
    MEMORY_BOUNDED,
];

/// What is expected of a target's process.
const LIVES: &str = "a process that ends when it is asked to, and not before";

/// Marks of protocol or markup that no text for a user may hold.
const GARBAGE: [&str; 10] = [
    "\u{fffd}",
    "data:",
    "[DONE]",
    "\"choices\"",
    "<html",
    "<!DOCTYPE",
    "\"delta\"",
    "\u{0}",
    "think>",
    "<\u{ff5c}",
];

/// Judges all invariants.
pub(crate) fn judge(seen: &Observation, transcript: &Transcript) -> Vec<Check> {
    let invariants = [
        (ONE_END, "one `done` or `error` for each message sent on a socket that stayed open", one_end(seen)),
        (NOTHING_AFTER, "no part of an answer while no turn is running", nothing_after(seen)),
        (
            IN_ORDER,
            "offsets without gap, and pieces of answers that follow each other, on `chat.v1`",
            stream::judge(seen),
        ),
        (OWN_FRAMES, "ids in frames belong to one user", own_frames(seen)),
        (CLEAN_TEXT, "texts without replacement characters, markup or protocol", clean_text(seen)),
        (
            UPSTREAM_CLOSED,
            "every exchange with the model ends with the last turn at the latest",
            upstream::closed(seen),
        ),
        (NO_PANIC, "no panic on the thread of the target or in its log", process::no_panic(seen)),
        (LIVES_ON, LIVES, process::lives_on(seen)),
        (
            MEMORY_BOUNDED,
            "no more memory than the target file allows for one scenario",
            process::memory(seen),
        ),
    ];
    invariants.into_iter().map(|(id, expected, found)| check(id, expected, found, transcript)).collect()
}

/// Tells a death where nothing else was seen.
pub(crate) fn death(death: String) -> Check {
    found(LIVES_ON, LIVES, (false, death))
}

/// What speaks against an invariant: in words, and where it is seen.
type Found = Result<String, (String, Vec<Origin>)>;

fn check(id: &str, expected: &str, found: Found, transcript: &Transcript) -> Check {
    let held = found.is_ok();
    let (observed, evidence) = match found {
        Ok(observed) => (observed, Vec::new()),
        Err((observed, origins)) => (observed, transcript.places(&origins)),
    };
    Check { evidence, ..self::found(id, expected, (held, observed)) }
}

fn found(id: &str, expected: &str, (held, observed): (bool, String)) -> Check {
    Check {
        id: id.to_owned(),
        source: CheckSource::Invariant,
        held,
        expected: expected.to_owned(),
        observed,
        evidence: Vec::new(),
    }
}

/// What one device sent and got so far.
#[derive(Default)]
struct Tally {
    sent: usize,
    ended: usize,
    last: Vec<Origin>,
    /// Whether something came since the last message or end.
    has_begun: bool,
    is_gone: bool,
}

fn one_end(seen: &Observation) -> Found {
    let mut devices: BTreeMap<&str, Tally> = BTreeMap::new();
    for (n, event) in seen.events.iter().enumerate() {
        let tally = devices.entry(&event.actor).or_default();
        match &event.what {
            What::Sent(_) => (tally.sent, tally.has_begun) = (tally.sent + 1, false),
            What::Frame(frame) if frame.is_end() => (tally.ended, tally.has_begun) = (tally.ended + 1, false),
            What::Closed { .. } => tally.is_gone = true,
            What::Frame(_) => {
                tally.has_begun = true;
                continue;
            }
            _ => continue,
        }
        tally.last.push(Origin::Event(n));
    }
    for (device, tally) in &devices {
        let too_few = tally.ended < tally.sent && !tally.is_gone;
        if too_few || tally.ended > tally.sent {
            let tail = tally.last[tally.last.len().saturating_sub(3)..].to_vec();
            let how = match (too_few, tally.has_begun) {
                (false, _) => "too many",
                (true, true) => "what was begun was not ended",
                (true, false) => "nothing came",
            };
            let (sent, ended) = (tally.sent, tally.ended);
            return Err((format!("`{device}` sent {sent} messages and got {ended} ends: {how}"), tail));
        }
    }
    Ok(format!("{} messages, {} ends", sum(&devices, |t| t.sent), sum(&devices, |t| t.ended)))
}

fn sum(devices: &BTreeMap<&str, Tally>, field: impl Fn(&Tally) -> usize) -> usize {
    devices.values().map(field).sum()
}

fn nothing_after(seen: &Observation) -> Found {
    let mut running: BTreeMap<&str, i64> = BTreeMap::new();
    for (n, event) in seen.events.iter().enumerate() {
        let turns = running.entry(&event.actor).or_default();
        match &event.what {
            What::Sent(_) => *turns += 1,
            What::Frame(frame) if frame.is_end() => *turns -= 1,
            // A frame with an offset may tell of a turn that another device began.
            What::Frame(frame)
                if *turns <= 0
                    && frame.offset().is_none()
                    && matches!(frame.field("type"), "message" | "calendar") =>
            {
                return Err((
                    format!("`{}` got a `{}` after its last end", event.actor, frame.field("type")),
                    vec![Origin::Event(n)],
                ));
            }
            _ => {}
        }
    }
    Ok("none".to_owned())
}

fn own_frames(seen: &Observation) -> Found {
    let mut owners: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for (n, event) in seen.events.iter().enumerate() {
        let What::Frame(frame) = &event.what else { continue };
        let user = event.actor.split('.').next().unwrap_or_default();
        for name in ["id", "turn", "session", "message_id"] {
            let Some(id) = frame.json.get(name).and_then(Value::as_str) else { continue };
            let (owner, first) = *owners.entry(id.to_owned()).or_insert((user, n));
            if owner != user {
                let text = format!("`{name}` of `{owner}` reached `{user}`");
                return Err((text, vec![Origin::Event(first), Origin::Event(n)]));
            }
        }
    }
    let users: BTreeSet<_> = owners.values().map(|(user, _)| user).collect();
    Ok(format!("{} ids of {} users", owners.len(), users.len()))
}

fn clean_text(seen: &Observation) -> Found {
    for (n, event) in seen.events.iter().enumerate() {
        let What::Frame(frame) = &event.what else { continue };
        let text = frame.text();
        if let Some(mark) = GARBAGE.iter().find(|mark| text.contains(**mark)) {
            return Err((format!("`{}` reads {}", event.actor, mark.escape_debug()), vec![Origin::Event(n)]));
        }
    }
    Ok("clean".to_owned())
}

#[cfg(test)]
mod tests;
