//! What the users of a crowd have seen.
//!
//! Invariant: times are kept of turns that were due while it was measured, whenever they ended; broken promises are kept
//! of the whole run.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use clock::{Instant, SharedClock};

use super::{figures::Time, promise::Promise, report::Second};
use crate::tally::Times;

/// Reasons of refusals and failed connections that are told apart; further ones are one.
const REASONS_MAX: usize = 20;
/// Ids whose owners are remembered; those that come later are not judged.
const OWNERS_MAX: usize = 1_000_000;

/// Where all users write what they see.
#[derive(Debug)]
pub(crate) struct Recorder {
    clock: SharedClock,
    seen: Mutex<Seen>,
}

/// All that was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Measured from here, until there.
    pub(crate) from: Option<Instant>,
    pub(crate) until: Option<Instant>,
    pub(crate) times: BTreeMap<Time, Times>,
    /// Turns that ended with a whole answer, of those that were due while it was measured.
    pub(crate) turns: u64,
    /// Turns of any kind that ended while it was measured: what the target worked for.
    pub(crate) worked: u64,
    pub(crate) fallbacks: u64,
    pub(crate) reconnects: u64,
    /// Writes of facts that were acknowledged while it was measured.
    pub(crate) facts: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) promises: BTreeMap<Promise, u64>,
    /// What was seen when a promise was broken for the first time.
    pub(crate) examples: BTreeMap<Promise, String>,
    /// Users that have come, whether or not they got in.
    pub(crate) came: usize,
    /// Times that this program itself broke.
    pub(crate) panics: u64,
    /// Sockets that are open.
    pub(crate) sockets: usize,
    /// Those at the last measured moment.
    pub(crate) sockets_measured: usize,
    /// Users who chatted and have asked all that they had to ask.
    pub(crate) finished: usize,
    /// Questions that were due and never asked.
    pub(crate) unasked: u64,
    /// Turns that run.
    pub(crate) running: usize,
    /// The second that is being filled.
    pub(crate) second: Current,
    /// Those that are over.
    pub(crate) seconds: Vec<Second>,
    owners: HashMap<String, usize>,
}

/// A second that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) turns: u64,
    pub(crate) refused: u64,
    pub(crate) first: Times,
}

/// A turn that is over.
#[derive(Debug)]
pub(crate) struct Turn {
    /// When the question should have been asked.
    pub(crate) due: Instant,
    /// When it went out.
    pub(crate) sent: Instant,
    /// When the first piece of the answer came.
    pub(crate) first: Option<Instant>,
    /// When it ended.
    pub(crate) end: Instant,
    pub(crate) how: Ended,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a whole answer.
    Whole,
    /// With another text.
    Instead,
    /// With an error of this code.
    Refused(String),
    /// Not at all: a promise was broken.
    Broken,
}

impl Recorder {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Keeps a time if it is measured now.
    pub(crate) fn took(&self, time: Time, from: Instant, to: Instant) {
        let mut seen = self.seen();
        if seen.measures(from) {
            seen.times.entry(time).or_default().record(to.since(from));
        }
    }

    /// Says whether a question was due before the end of what is measured.
    pub(crate) fn was_due(&self, due: Instant) -> bool {
        self.seen().until.is_some_and(|until| due < until)
    }

    /// Keeps a question that was due and will not be asked any more.
    pub(crate) fn never_asked(&self, due: Instant) {
        let now = self.now();
        let mut seen = self.seen();
        if seen.measures(due) {
            seen.unasked += 1;
            for time in [Time::FirstToken, Time::Whole] {
                seen.times.entry(time).or_default().record(now.since(due));
            }
        }
    }

    /// Counts a broken promise; `how` is asked for the first time that it breaks.
    pub(crate) fn broke(&self, promise: Promise, how: impl FnOnce() -> String) {
        let mut seen = self.seen();
        *seen.promises.entry(promise).or_default() += 1;
        seen.examples.entry(promise).or_insert_with(how);
    }

    /// Says whether what bears this id reached the user whom it belongs to: the first who got it.
    pub(crate) fn belongs(&self, id: &str, user: usize) -> bool {
        let mut seen = self.seen();
        if let Some(owner) = seen.owners.get(id) {
            return *owner == user;
        }
        if seen.owners.len() < OWNERS_MAX {
            seen.owners.insert(id.to_owned(), user);
        }
        true
    }

    /// Keeps a turn.
    pub(crate) fn ended(&self, turn: &Turn) {
        let mut seen = self.seen();
        seen.running = seen.running.saturating_sub(1);
        if seen.measures(turn.end) {
            seen.worked += 1;
            seen.second.turns += 1;
        }
        if seen.measures(turn.due) {
            seen.keep(turn);
        }
    }
}

impl Seen {
    /// Says whether what happened at this moment is measured.
    fn measures(&self, at: Instant) -> bool {
        self.from.is_some_and(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    fn keep(&mut self, turn: &Turn) {
        match &turn.how {
            Ended::Refused(code) => {
                count(&mut self.refused, code);
                self.second.refused += 1;
                return;
            }
            Ended::Instead => self.fallbacks += 1,
            Ended::Whole => self.turns += 1,
            Ended::Broken => return,
        }
        let mut record = |time, from, to: Instant| self.times.entry(time).or_default().record(to.since(from));
        record(Time::Whole, turn.due, turn.end);
        record(Time::WholeSent, turn.sent, turn.end);
        if let Some(first) = turn.first {
            record(Time::FirstToken, turn.due, first);
            record(Time::FirstTokenSent, turn.sent, first);
            self.second.first.record(first.since(turn.due));
        }
    }

    /// Returns how often promises were broken.
    pub(crate) fn broken(&self) -> u64 {
        self.promises.values().sum()
    }
}

/// Counts under a reason, or under that of all others where there are too many.
pub(crate) fn count(reasons: &mut BTreeMap<String, u64>, reason: &str) {
    let key =
        if reasons.len() < REASONS_MAX || reasons.contains_key(reason) { reason } else { "another reason" };
    *reasons.entry(key.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use clock::SystemClock;

    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn recorder() -> Recorder {
        let recorder = Recorder::new(Arc::new(SystemClock::new()));
        (recorder.seen().from, recorder.seen().until) = (Some(at(10)), Some(at(20)));
        recorder
    }

    fn turn(due: u64, sent: u64) -> Turn {
        Turn { due: at(due), sent: at(sent), first: Some(at(sent + 1)), end: at(sent + 2), how: Ended::Whole }
    }

    #[test]
    fn what_was_due_while_nobody_looked_is_not_measured_l4() {
        let recorder = recorder();

        for due in [5, 12, 25] {
            recorder.ended(&turn(due, due));
        }

        let seen = recorder.seen();
        assert_eq!((seen.turns, seen.times[&Time::Whole].count()), (1, 1));
    }

    #[test]
    fn a_question_that_went_out_late_is_late_from_when_it_was_due_l4() {
        let recorder = recorder();

        recorder.ended(&turn(12, 18));

        let seen = recorder.seen();
        assert!((seen.times[&Time::FirstToken].quantile_ms(0.5) - 7000.0).abs() < 10.0);
        assert!((seen.times[&Time::FirstTokenSent].quantile_ms(0.5) - 1000.0).abs() < 1.0);
    }

    #[test]
    fn what_belongs_to_one_user_belongs_to_no_other_l3() {
        let recorder = recorder();

        assert!(recorder.belongs("s1", 1) && recorder.belongs("s1", 1) && recorder.belongs("s2", 2));
        assert!(!recorder.belongs("s1", 2));
    }
}
