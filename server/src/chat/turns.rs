//! One turn at a time per user, over all connections of this process, and of all replicas where they share an exchange.
//!
//! Whoever waits is served in order of arrival; between replicas, in no certain order. How many messages of a user may
//! wait is bounded. Entries of users who neither wait nor run are removed.

mod rights;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use crate::ids::UserId;
use rights::Right;
pub(super) use rights::{LIFE as RIGHT_LIFE, Rights};

/// The users with something under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    users: Arc<Mutex<HashMap<UserId, User>>>,
    rights: Option<Rights>,
}

#[derive(Debug, Default)]
struct User {
    /// tokio's lock is fair: first come, first served.
    lock: Arc<tokio::sync::Mutex<()>>,
    waiting: usize,
    /// Guards that keep the entry alive: places and turns.
    guards: usize,
}

/// A place among the waiting messages of a user, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    turns: Turns,
    user: UserId,
}

/// The right to run a turn, given back when dropped.
#[derive(Debug)]
pub(super) struct TurnGuard {
    held: Option<Held>,
}

/// What a turn holds. It is given back in this order.
#[derive(Debug)]
struct Held {
    right: Option<Right>,
    _lock: OwnedMutexGuard<()>,
    _kept: Kept,
}

impl Turns {
    /// Makes the line of a server; with rights, other replicas stand in it, too.
    pub(super) fn new(rights: Option<Rights>) -> Self {
        Self { users: Arc::default(), rights }
    }

    /// Takes a place if fewer than `places` messages of the user wait.
    pub(super) fn place(&self, user: UserId, places: usize) -> Option<Place> {
        let mut users = self.lock();
        let entry = users.entry(user).or_default();
        if entry.waiting >= places {
            return None;
        }
        entry.waiting += 1;
        entry.guards += 1;
        Some(Place { turns: self.clone(), user })
    }

    /// Waits until no other turn of the user runs. Dropping the future gives up the place in the line.
    pub(super) async fn begin(&self, user: UserId) -> TurnGuard {
        // Keeps the entry alive, so that all who wait do so at the same lock.
        let kept = Kept::new(self, user);
        let lock = Arc::clone(&self.lock().entry(user).or_default().lock);
        let lock = lock.lock_owned().await;
        let right = match &self.rights {
            Some(rights) => Some(rights.take(user).await),
            None => None,
        };
        metrics::gauge!("turns_running").increment(1.0);
        TurnGuard { held: Some(Held { right, _lock: lock, _kept: kept }) }
    }

    /// Returns the number of users with something under way.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn release(&self, user: UserId, waiting: usize) {
        let mut users = self.lock();
        let Some(entry) = users.get_mut(&user) else { return };
        entry.waiting -= waiting;
        entry.guards -= 1;
        if entry.guards == 0 {
            users.remove(&user);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, User>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.turns.release(self.user, 1);
    }
}

impl TurnGuard {
    /// Gives the right back as soon as all is told of the turn; here, the next turn waits for that, too.
    pub(super) fn end(mut self, told: impl Future<Output = ()> + Send + 'static) {
        if let Some(held) = self.held.take() {
            held.leave(told);
        }
    }
}

impl Drop for TurnGuard {
    fn drop(&mut self) {
        metrics::gauge!("turns_running").decrement(1.0);
        if let Some(held) = self.held.take() {
            held.leave(std::future::ready(()));
        }
    }
}

impl Held {
    /// Gives back at once what this process alone knows of, and a right of all replicas after something else.
    fn leave(mut self, told: impl Future<Output = ()> + Send + 'static) {
        if let Some(right) = self.right.take() {
            tokio::spawn(async move {
                told.await;
                right.give_back().await;
                drop(self);
            });
        }
    }
}

/// A count of one on a user's entry.
#[derive(Debug)]
struct Kept {
    turns: Turns,
    user: UserId,
}

impl Kept {
    fn new(turns: &Turns, user: UserId) -> Self {
        turns.lock().entry(user).or_default().guards += 1;
        Self { turns: turns.clone(), user }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.turns.release(self.user, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clock::{Clock as _, ManualClock};
    use futures_util::FutureExt;

    use super::*;
    use crate::exchange::{Exchange as _, MemoryExchange, Window};

    #[tokio::test]
    async fn a_right_is_given_back_once_and_not_that_of_the_next_turn_f90() {
        let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
        let window = Window { frames: 1, life: Duration::from_hours(1) };
        let exchange = Arc::new(MemoryExchange::new(Arc::new(clock.clone()), window));
        let rights = Rights::new(exchange.clone(), Arc::new(clock.clone()));
        let (turns, user) = (Turns::new(Some(rights)), UserId::random());
        let stranger = async || exchange.hold(user, "another replica", RIGHT_LIFE).await.unwrap();

        let first = turns.begin(user).await;
        first.end(std::future::ready(()));
        let second = turns.begin(user).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }

        assert!(!stranger().await, "the second turn runs");
        second.end(std::future::ready(()));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(stranger().await);
        assert_eq!((turns.len(), clock.now().since_origin()), (0, Duration::ZERO));
    }

    #[tokio::test]
    async fn turns_of_one_user_follow_each_other_and_leave_nothing_behind() {
        let (turns, user) = (Turns::default(), UserId::random());
        let first = turns.begin(user).await;
        let mut second = Box::pin(turns.begin(user));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(turns.begin(UserId::random()).now_or_never().is_some());

        drop(first);
        let second = second.now_or_never();

        assert!(second.is_some());
        drop(second);
        assert_eq!(turns.len(), 0);
    }

    #[tokio::test]
    async fn whoever_gives_up_waiting_is_skipped() {
        let (turns, user) = (Turns::default(), UserId::random());
        let first = turns.begin(user).await;
        let mut second = Box::pin(turns.begin(user));
        assert!(second.as_mut().now_or_never().is_none());

        drop(second);
        drop(first);

        assert!(turns.begin(user).now_or_never().is_some());
        assert_eq!(turns.len(), 0);
    }

    #[test]
    fn places_are_bounded_per_user() {
        let (turns, user) = (Turns::default(), UserId::random());
        let places: Vec<_> = (0..3).map_while(|_| turns.place(user, 2)).collect();

        assert_eq!(places.len(), 2);
        drop(places);
        assert!(turns.place(user, 2).is_some());
    }
}
