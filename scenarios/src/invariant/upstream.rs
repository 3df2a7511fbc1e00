//! What the target leaves behind at the model.

use std::collections::BTreeMap;

use clock::Instant;

use super::Found;
use crate::{
    expr::Expr, matching, model::Ending, observation::Observation, record::What, transcript::Origin,
};

pub(super) fn closed(seen: &Observation) -> Found {
    let open = seen.exchanges.iter().position(|exchange| matching::end_of(exchange) == Ending::Open);
    if let Some(n) = open {
        return Err((format!("exchange {} is still open", n + 1), vec![Origin::Exchange(n)]));
    }
    let is_end = |what: &What| {
        matches!(what, What::Frame(frame) if frame.is_end()) || matches!(what, What::Closed { .. })
    };
    let last = seen.events.iter().filter(|event| is_end(&event.what)).map(|event| event.at).max();
    let last = last.max(unheard(seen));
    let ends = seen.exchanges.iter().map(|exchange| exchange.end.as_ref().map(|end| end.at)).enumerate();
    let mut late =
        ends.filter(|(_, end)| last.is_some_and(|last| end.is_some_and(|end| end > last + seen.slack)));
    match late.next() {
        Some((n, _)) => {
            Err((format!("exchange {} went on after the last turn", n + 1), vec![Origin::ExchangeEnd(n)]))
        }
        None => Ok(format!("{} exchanges, all ended", seen.exchanges.len())),
    }
}

/// What a device waits for.
#[derive(Default)]
struct Waiting {
    /// A device of `chat.v1`, whose answers go on when it leaves.
    is_newer: bool,
    /// How many answers it waits for.
    owed: u32,
    since: Instant,
}

/// Returns when the last turn must be over at the latest of those that went on when their device had left.
fn unheard(seen: &Observation) -> Option<Instant> {
    let total = "llm.total".parse::<Expr>().ok()?.duration(&seen.settings).ok()?;
    let mut devices: BTreeMap<&str, Waiting> = BTreeMap::new();
    let mut last = None;
    for event in &seen.events {
        let device = devices.entry(&event.actor).or_default();
        match &event.what {
            What::Sent(_) => (device.owed, device.since) = (device.owed + 1, event.at),
            What::Frame(frame) if frame.field("type") == "welcome" => device.is_newer = true,
            What::Frame(frame) if frame.is_end() => device.owed = device.owed.saturating_sub(1),
            What::Closed { .. } if device.is_newer && device.owed > 0 => {
                last = last.max(Some(device.since + total * device.owed));
                device.owed = 0;
            }
            _ => {}
        }
    }
    last
}
