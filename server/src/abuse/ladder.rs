//! Who stands on which rung. Pure but for a lock: time comes in.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::Instant;

use crate::{config::Abuse, ids::UserId};

/// What follows from a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    /// Nothing yet.
    Stay,
    /// The socket is closed.
    Close,
    /// The user is kept out.
    Block,
}

/// The users who had to be refused lately.
#[derive(Debug)]
pub(super) struct Ladder {
    rules: Arc<Abuse>,
    users: Mutex<HashMap<UserId, Climber>>,
}

/// One of them. Holds at most `rejections` and `strikes` times.
#[derive(Debug, Default)]
struct Climber {
    refused: VecDeque<Instant>,
    strikes: VecDeque<Instant>,
}

impl Ladder {
    pub(super) fn new(rules: Arc<Abuse>) -> Self {
        Self { rules, users: Mutex::default() }
    }

    /// Counts a refusal at `now`.
    pub(super) fn refused(&self, user: UserId, now: Instant) -> Rung {
        self.users().entry(user).or_default().refused(now, &self.rules)
    }

    /// Forgets the strikes of a user whose block is stored.
    pub(super) fn blocked(&self, user: UserId) {
        if let Some(climber) = self.users().get_mut(&user) {
            climber.strikes.clear();
        }
    }

    /// Forgets whoever has nothing left that counts.
    pub(super) fn sweep(&self, now: Instant) {
        self.users().retain(|_, climber| {
            forget(&mut climber.refused, now, self.rules.window);
            forget(&mut climber.strikes, now, self.rules.strike_life);
            !climber.refused.is_empty() || !climber.strikes.is_empty()
        });
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Climber>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Climber {
    fn refused(&mut self, now: Instant, rules: &Abuse) -> Rung {
        forget(&mut self.refused, now, rules.window);
        self.refused.push_back(now);
        if self.refused.len() < rules.rejections {
            return Rung::Stay;
        }
        self.refused.clear();
        forget(&mut self.strikes, now, rules.strike_life);
        self.strikes.push_back(now);
        if self.strikes.len() < rules.strikes {
            return Rung::Close;
        }
        // They count on until the block is stored: the store may be away.
        if self.strikes.len() > rules.strikes {
            self.strikes.pop_front();
        }
        Rung::Block
    }
}

/// Drops the times that lie a whole `life` or longer before `now`.
fn forget(times: &mut VecDeque<Instant>, now: Instant, life: Duration) {
    while times.front().is_some_and(|time| now.since(*time) >= life) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use clock::{Clock, ManualClock, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn ladder(rejections: usize, strikes: usize) -> (ManualClock, Ladder) {
        let rules = Abuse { rejections, strikes, ..Abuse::default() };
        (ManualClock::new(Timestamp::UNIX_EPOCH), Ladder::new(Arc::new(rules)))
    }

    fn wait(clock: &ManualClock, seconds: u64) {
        clock.jump(clock.now() + Duration::from_secs(seconds));
    }

    #[test]
    fn each_rung_is_reached_by_the_last_refusal_within_its_time_f9() {
        let (clock, ladder) = ladder(3, 2);
        let (ana, bea) = (UserId::random(), UserId::random());
        let refuse = |user| ladder.refused(user, clock.now());

        assert_eq!(
            [refuse(ana), refuse(bea), refuse(ana), refuse(ana)],
            [Rung::Stay, Rung::Stay, Rung::Stay, Rung::Close]
        );
        wait(&clock, 3599);
        assert_eq!([refuse(ana), refuse(ana), refuse(ana)], [Rung::Stay, Rung::Stay, Rung::Block]);
        let not_stored = [refuse(ana), refuse(ana), refuse(ana)];
        assert_eq!(not_stored, [Rung::Stay, Rung::Stay, Rung::Block], "the store did not take the block");
        ladder.blocked(ana);
        assert_eq!([refuse(ana), refuse(ana), refuse(ana)], [Rung::Stay, Rung::Stay, Rung::Close]);
    }

    #[test]
    fn refusals_and_strikes_are_forgotten_in_time_f9() {
        let (clock, ladder) = ladder(2, 2);
        let ana = UserId::random();
        let refuse = || ladder.refused(ana, clock.now());

        assert_eq!(refuse(), Rung::Stay);
        wait(&clock, 60);
        assert_eq!([refuse(), refuse()], [Rung::Stay, Rung::Close]);
        wait(&clock, 3600);
        assert_eq!([refuse(), refuse()], [Rung::Stay, Rung::Close]);
        wait(&clock, 59);
        ladder.sweep(clock.now());
        assert_eq!(ladder.users().len(), 1, "the strike counts for an hour");
        wait(&clock, 3600);
        ladder.sweep(clock.now());
        assert_eq!(ladder.users().len(), 0);
    }

    proptest! {
        /// Against a count over the whole past, from the last strike on.
        #[test]
        fn a_socket_is_closed_when_the_window_holds_as_many_as_it_may_f9(
            most in 1_usize..6,
            pauses in prop::collection::vec(0_u64..40, 1..80),
        ) {
            let (clock, ladder) = ladder(most, usize::MAX);
            let (ana, mut past) = (UserId::random(), Vec::new());
            for pause in pauses {
                wait(&clock, pause);
                let now = clock.now();
                past.push(now);
                let recent = past.iter().filter(|time| now.since(**time) < Duration::from_mins(1)).count();
                let rung = ladder.refused(ana, now);
                prop_assert_eq!(rung == Rung::Close, recent >= most);
                if rung == Rung::Close {
                    past.clear();
                }
            }
        }
    }
}
