//! A clock that stands still until it is told to move.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::Timestamp;

use crate::{Activity, Clock, Instant, Sleep};

/// Virtual time: begins at a given wall time, moves only by [`jump`](Self::jump).
///
/// Clones share the time. To move it together with a running program, use
/// [`Lab::advance`](crate::Lab::advance), which hops; a bare `jump` over several sleepers wakes
/// them all at once.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Timestamp,
    state: Mutex<State>,
    activity: Activity,
}

#[derive(Debug, Default)]
struct State {
    now: Instant,
    next_id: u64,
    /// Ordered by deadline, then by who slept first: waking in this order is part of the contract.
    sleepers: BTreeMap<(Instant, u64), Option<Waker>>,
}

impl ManualClock {
    /// Makes a clock whose wall time is `began` until it is moved.
    pub fn new(began: Timestamp) -> Self {
        Self::with_activity(began, Activity::default())
    }

    /// Makes a clock that reports sleeps and wake-ups to `activity`.
    pub fn with_activity(began: Timestamp, activity: Activity) -> Self {
        Self(Arc::new(Shared { began, state: Mutex::default(), activity }))
    }

    /// Returns the earliest deadline that somebody sleeps for.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.state().sleepers.keys().next().map(|&(deadline, _)| deadline)
    }

    /// Moves time to `to` and wakes whoever is due, the earliest first. Time never moves back.
    pub fn jump(&self, to: Instant) {
        let due = {
            let mut state = self.state();
            let now = state.now.max(to);
            state.now = now;
            let later = state.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut state.sleepers, later)
        };
        self.0.activity.note();
        due.into_values().flatten().for_each(Waker::wake);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        let since = self.now().since_origin();
        self.0.began.saturating_add(since).unwrap_or(Timestamp::MAX)
    }

    fn now(&self) -> Instant {
        self.state().now
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let key = {
            let mut state = self.state();
            state.next_id += 1;
            (deadline, state.next_id)
        };
        Box::pin(Sleeper { clock: self.clone(), key })
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }
}

struct Sleeper {
    clock: ManualClock,
    key: (Instant, u64),
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        if self.key.0 <= state.now {
            state.sleepers.remove(&self.key);
            return Poll::Ready(());
        }
        let place = state.sleepers.entry(self.key).or_default();
        let is_new = place.is_none();
        *place = Some(cx.waker().clone());
        drop(state);
        if is_new {
            self.clock.0.activity.note();
        }
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.state().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn clock() -> ManualClock {
        ManualClock::new(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn wall_and_monotonic_time_move_together() {
        let clock = clock();

        clock.jump(Instant::from_origin(Duration::from_secs(90)));

        assert_eq!(clock.now().since_origin(), Duration::from_secs(90));
        assert_eq!(clock.wall().as_second(), 90);
    }

    #[test]
    fn time_never_moves_back() {
        let clock = clock();

        clock.jump(Instant::from_origin(Duration::from_secs(2)));
        clock.jump(Instant::from_origin(Duration::from_secs(1)));

        assert_eq!(clock.now().since_origin(), Duration::from_secs(2));
    }

    #[tokio::test]
    async fn a_dropped_sleep_leaves_no_deadline_behind() {
        let clock = clock();
        let mut sleep = clock.sleep(Duration::from_secs(1));
        poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx).is_pending())).await;
        assert_eq!(clock.next_deadline(), Some(Instant::from_origin(Duration::from_secs(1))));

        drop(sleep);

        assert_eq!(clock.next_deadline(), None);
    }

    #[tokio::test]
    async fn a_sleep_that_is_due_returns_at_once() {
        clock().sleep_until(Instant::ZERO).await;
    }
}
