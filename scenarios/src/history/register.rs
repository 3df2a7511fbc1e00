//! One value that is replaced: the zone check of Gibbons and Korach, for values that are written once.
//!
//! All operations on one value make a zone. It is *forward* when one of them ended before another began: in between, the
//! value was there all the time. Two forward zones must not overlap, and no other zone may lie within a forward one.

use std::collections::BTreeMap;

use super::{FactHistory, Moment, Outcome, Proof, Span};

/// An operation that shows a value to be there.
#[derive(Clone, Copy)]
struct Touch<'a> {
    by: By<'a>,
    span: Span,
}

#[derive(Clone, Copy)]
enum By<'a> {
    /// It was there when the history began.
    Nobody,
    Writer(&'a str),
    Reader(&'a str),
}

/// All operations on one value.
struct Zone<'a> {
    value: Option<&'a str>,
    touches: Vec<Touch<'a>>,
    /// The first to end.
    first: Touch<'a>,
    /// The last to begin.
    last: Touch<'a>,
}

impl<'a> Zone<'a> {
    fn new(value: Option<&'a str>, touch: Touch<'a>) -> Self {
        Self { value, touches: vec![touch], first: touch, last: touch }
    }

    fn add(&mut self, touch: Touch<'a>) {
        self.touches.push(touch);
        if touch.span.to < self.first.span.to {
            self.first = touch;
        }
        if touch.span.from > self.last.span.from {
            self.last = touch;
        }
    }

    fn is_forward(&self) -> bool {
        self.first.span.to < self.last.span.from
    }

    fn shown(&self, touch: Touch<'_>) -> (Moment, String) {
        (touch.span.from, self.told(touch))
    }

    fn told(&self, touch: Touch<'_>) -> String {
        let value = self.value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
        match touch.by {
            By::Nobody => format!("{value} was there at first"),
            By::Writer(who) => format!("writer {who} wrote {value} ({})", touch.span),
            By::Reader(who) => format!("reader {who} read {value} ({})", touch.span),
        }
    }
}

pub(super) fn check(history: &FactHistory) -> Result<(), Proof> {
    let (mut forward, backward): (Vec<_>, Vec<_>) = zones(history)?.into_iter().partition(Zone::is_forward);
    forward.sort_by_key(|zone| zone.first.span.to);
    if let Some([one, other]) = forward.array_windows().find(|[a, b]| b.first.span.to < a.last.span.from) {
        return Err(stale(one, other));
    }
    for zone in &backward {
        let place = forward.partition_point(|outer| outer.first.span.to < zone.last.span.from);
        let around = forward[..place].last().filter(|outer| zone.first.span.to < outer.last.span.from);
        if let Some(around) = around {
            return Err(stale(around, zone));
        }
    }
    Ok(())
}

fn zones(history: &FactHistory) -> Result<Vec<Zone<'_>>, Proof> {
    let before = history.before.as_deref();
    let mut zones =
        BTreeMap::from([(before, Zone::new(before, Touch { by: By::Nobody, span: Span::default() }))]);
    for write in history.operations.iter().filter(|write| write.outcome != Outcome::Refused) {
        let mut touch = Touch { by: By::Writer(&write.writer), span: write.span };
        if write.outcome == Outcome::Unknown {
            // It may still happen.
            touch.span.to = Moment::NEVER;
        }
        let value = Some(write.value.as_str());
        zones.insert(value, Zone::new(value, touch));
    }
    for read in &history.reads {
        let value = read.value.as_deref();
        let touch = Touch { by: By::Reader(&read.reader), span: read.span };
        let Some(zone) = zones.get_mut(&value) else {
            return Err(unwritten(history, value.unwrap_or_default(), touch));
        };
        let write = zone.touches[0];
        if read.span.to < write.span.from {
            let told = format!("{} before {}", zone.told(touch), zone.told(write));
            return Err(Proof::new(told, [zone.shown(touch), zone.shown(write)]));
        }
        zone.add(touch);
    }
    Ok(zones.into_values().collect())
}

fn unwritten(history: &FactHistory, value: &str, read: Touch<'_>) -> Proof {
    let zone = Zone::new(Some(value), read);
    let told = zone.told(read);
    match history.operations.iter().find(|write| write.value == value) {
        Some(refused) => {
            let told = format!("{told}, though writing it was refused ({})", refused.span);
            Proof::new(told, [refused.shown(), zone.shown(read)])
        }
        None => Proof::new(format!("{told}, and {}", history.whence(value)), [zone.shown(read)]),
    }
}

/// Proves that one of two values was there, then the other, and then the first again.
fn stale(one: &Zone<'_>, other: &Zone<'_>) -> Proof {
    let (old, new) = if one.last.span.from > other.last.span.from { (one, other) } else { (other, one) };
    let (first, again) = (old.first, old.last);
    let is_between = |touch: &&Touch<'_>| touch.span.from > first.span.to && touch.span.to < again.span.from;
    let meanwhile: Vec<Touch<'_>> = match new.touches.iter().find(is_between) {
        Some(touch) => vec![*touch],
        None => vec![new.first, new.last],
    };
    let what = match (old.value, meanwhile[0].by) {
        (None, _) => "what was there is gone",
        (_, By::Reader(_)) => "the read went back",
        _ => "the read is stale",
    };
    let mut operations: Vec<_> = meanwhile.iter().map(|touch| new.shown(*touch)).collect();
    let mut told = operations.iter().map(|(_, told)| told.as_str()).collect::<Vec<_>>().join(" and ");
    if !matches!(first.by, By::Nobody) {
        told = format!("{told} after {}", old.told(first));
        operations.insert(0, old.shown(first));
    }
    told = format!("{told}, and yet {}: {what}", old.told(again));
    operations.push(old.shown(again));
    Proof { told, operations }
}
