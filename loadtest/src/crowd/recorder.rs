//! What the users of a crowd have seen.
//!
//! Invariant: times are kept of turns that were due while it was measured, whenever they ended; broken promises are kept
//! of the whole run.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use clock::{Instant, SharedClock};

use super::{figures::Time, promise::Promise, report::Second, sums::Sums};
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
    /// What was measured, one after the other: one window for each step of the load that has begun.
    pub(crate) windows: Vec<Window>,
    pub(crate) reconnects: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) promises: BTreeMap<Promise, u64>,
    /// What was seen when a promise was broken for the first time.
    pub(crate) examples: BTreeMap<Promise, String>,
    /// Users that have come, whether or not they got in.
    pub(crate) came: usize,
    /// Those of them who chat.
    pub(crate) talkers: usize,
    /// Times that this program itself broke.
    pub(crate) panics: u64,
    /// Sockets that are open.
    pub(crate) sockets: usize,
    /// Users who chatted and have asked all that they had to ask.
    pub(crate) finished: usize,
    /// Turns that run.
    pub(crate) running: usize,
    /// When those of them were due that are no part of a flood.
    due: BTreeMap<Instant, usize>,
    /// The second that is being filled.
    pub(crate) second: Current,
    /// Those that are over.
    pub(crate) seconds: Vec<Second>,
    owners: HashMap<String, usize>,
}

/// A while in which it is measured.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) from: Instant,
    pub(crate) until: Option<Instant>,
    pub(crate) sums: Sums,
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
    /// The stream was begun anew in the middle of it: the history has the rest, which a user of a load does not read.
    Left,
    /// Not at all: a promise was broken.
    Broken,
}

impl Ended {
    /// Returns the code by which it counts as refused, if it does.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(code) => Some(code),
            Self::Left => Some("not_recovered"),
            Self::Whole | Self::Instead | Self::Broken => None,
        }
    }
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
        if let Some(sums) = self.seen().measured(from) {
            sums.took(time, to.since(from));
        }
    }

    /// Says whether a question was due before the end of what is measured.
    pub(crate) fn was_due(&self, due: Instant) -> bool {
        self.seen().windows.last().and_then(|window| window.until).is_some_and(|until| due < until)
    }

    /// Keeps a question that was due and will not be asked any more.
    pub(crate) fn never_asked(&self, due: Instant) {
        let now = self.now();
        if let Some(sums) = self.seen().measured(due) {
            sums.unasked += 1;
            for time in [Time::FirstToken, Time::Whole] {
                sums.took(time, now.since(due));
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

    /// Notes that a turn begins that was due then.
    pub(crate) fn begins(&self, due: Instant) {
        let mut seen = self.seen();
        seen.running += 1;
        *seen.due.entry(due).or_default() += 1;
    }

    /// Says whether a turn runs that was due before that.
    pub(crate) fn runs_since_before(&self, moment: Instant) -> bool {
        self.seen().due.first_key_value().is_some_and(|(due, _)| *due < moment)
    }

    /// Keeps a turn.
    pub(crate) fn ended(&self, turn: &Turn) {
        let mut seen = self.seen();
        seen.running = seen.running.saturating_sub(1);
        if let Some(count) = seen.due.get_mut(&turn.due) {
            *count -= 1;
            if *count == 0 {
                seen.due.remove(&turn.due);
            }
        }
        if let Some(sums) = seen.measured(turn.end) {
            sums.worked += 1;
        }
        seen.second.turns += 1;
        seen.keep(turn);
    }
}

impl Seen {
    /// Returns where what happened at this moment is counted, if it was measured then.
    pub(crate) fn measured(&mut self, at: Instant) -> Option<&mut Sums> {
        let holds = |window: &&mut Window| at >= window.from && window.until.is_none_or(|until| at < until);
        self.windows.iter_mut().rev().find(holds).map(|window| &mut window.sums)
    }

    fn keep(&mut self, turn: &Turn) {
        if let Some(code) = turn.how.refusal() {
            self.second.refused += 1;
            if let Some(sums) = self.measured(turn.due) {
                sums.refused += 1;
                count(&mut self.refused, code);
            }
        }
        match &turn.how {
            Ended::Refused(_) | Ended::Left => {}
            // The promise that was broken was counted when it was.
            Ended::Broken => {
                if let Some(sums) = self.measured(turn.due) {
                    sums.broken += 1;
                }
            }
            Ended::Whole | Ended::Instead => {
                if let Some(first) = turn.first {
                    self.second.first.record(first.since(turn.due));
                }
                if let Some(sums) = self.measured(turn.due) {
                    sums.keep(turn);
                }
            }
        }
    }

    /// Gives the last window what was counted of the whole run and belongs to no earlier one. What belongs to a turn belongs
    /// to the window in which that was due.
    pub(crate) fn share_out(&mut self) {
        let totals = (self.promises.values().sum(), self.refused.values().sum(), self.reconnects);
        let Some((last, earlier)) = self.windows.split_last_mut() else { return };
        let rest = |total: u64, of: fn(&Sums) -> u64| {
            total.saturating_sub(earlier.iter().map(|window| of(&window.sums)).sum())
        };
        last.sums.broken = rest(totals.0, |sums| sums.broken);
        last.sums.refused = rest(totals.1, |sums| sums.refused);
        last.sums.reconnects = rest(totals.2, |sums| sums.reconnects);
    }
}

impl Sums {
    /// Keeps a turn that had an end.
    fn keep(&mut self, turn: &Turn) {
        match turn.how {
            Ended::Instead => self.fallbacks += 1,
            _ => self.turns += 1,
        }
        self.took(Time::Whole, turn.end.since(turn.due));
        self.took(Time::WholeSent, turn.end.since(turn.sent));
        if let Some(first) = turn.first {
            self.took(Time::FirstToken, first.since(turn.due));
            self.took(Time::FirstTokenSent, first.since(turn.sent));
        }
    }
}

/// Counts once under a reason.
pub(crate) fn count(reasons: &mut BTreeMap<String, u64>, reason: &str) {
    count_more(reasons, reason, 1);
}

/// Counts under a reason, or under that of all others where there are too many.
pub(crate) fn count_more(reasons: &mut BTreeMap<String, u64>, reason: &str, times: u64) {
    let key =
        if reasons.len() < REASONS_MAX || reasons.contains_key(reason) { reason } else { "another reason" };
    *reasons.entry(key.to_owned()).or_default() += times;
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
        for (from, until) in [(10, 20), (30, 40)] {
            let window = Window { from: at(from), until: Some(at(until)), sums: Sums::default() };
            recorder.seen().windows.push(window);
        }
        recorder
    }

    fn turn(due: u64, sent: u64) -> Turn {
        Turn { due: at(due), sent: at(sent), first: Some(at(sent + 1)), end: at(sent + 2), how: Ended::Whole }
    }

    #[test]
    fn what_was_due_while_nobody_looked_is_not_measured_l4() {
        let recorder = recorder();

        for due in [5, 12, 25, 31, 36, 45] {
            recorder.ended(&turn(due, due));
        }

        let seen = recorder.seen();
        let counted =
            |n: usize| (seen.windows[n].sums.turns, seen.windows[n].sums.times[&Time::Whole].count());
        assert_eq!((counted(0), counted(1)), ((1, 1), (2, 2)));
    }

    #[test]
    fn a_question_that_went_out_late_is_late_from_when_it_was_due_l4() {
        let recorder = recorder();

        recorder.ended(&turn(12, 18));

        let seen = recorder.seen();
        let times = &seen.windows[0].sums.times;
        assert!((times[&Time::FirstToken].quantile_ms(0.5) - 7000.0).abs() < 10.0);
        assert!((times[&Time::FirstTokenSent].quantile_ms(0.5) - 1000.0).abs() < 1.0);
    }

    #[test]
    fn what_is_counted_of_the_whole_run_belongs_to_the_window_before_whose_end_it_was_l5() {
        let recorder = recorder();
        let later = recorder.seen().windows.pop().unwrap();
        recorder.broke(Promise::Ended, String::new);
        recorder.seen().share_out();
        recorder.seen().windows.push(later);
        recorder.broke(Promise::Ended, String::new);
        recorder.broke(Promise::OneEnd, String::new);

        recorder.seen().share_out();

        let seen = recorder.seen();
        assert_eq!((seen.windows[0].sums.broken, seen.windows[1].sums.broken), (1, 2));
    }

    #[test]
    fn what_belongs_to_one_user_belongs_to_no_other_l3() {
        let recorder = recorder();

        assert!(recorder.belongs("s1", 1) && recorder.belongs("s1", 1) && recorder.belongs("s2", 2));
        assert!(!recorder.belongs("s1", 2));
    }
}
