//! The upgraded sockets of a server: how many there are, whose they are, and how they end.
//!
//! Invariant: no user has more of them than the setting `http.sockets_per_user`; whoever has none leaves nothing
//! behind.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::ids::UserId;

/// The sockets. They run as tasks of their own and end when the server does. `Clone` shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    /// Counts them.
    pub(crate) running: TaskTracker,
    /// Ends them at once, after they had their time to end by themselves.
    pub(crate) cut: CancellationToken,
    users: Arc<Mutex<HashMap<UserId, Open>>>,
}

/// The sockets of one user.
#[derive(Debug, Default)]
struct Open {
    count: usize,
    /// Wakes whoever watches over them.
    word: watch::Sender<()>,
}

/// The place of an open socket, free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    sockets: Sockets,
    user: UserId,
    _running: TaskTrackerToken,
}

impl Sockets {
    /// Takes a place for a socket of a user who has fewer than `most`.
    pub(crate) fn seat(&self, user: UserId, most: usize) -> Option<Seat> {
        let mut users = self.users();
        if users.get(&user).is_some_and(|open| open.count >= most) {
            return None;
        }
        users.entry(user).or_default().count += 1;
        Some(Seat { sockets: self.clone(), user, _running: self.running.token() })
    }

    /// Has the sockets of a user looked at now: something was changed that may end them.
    pub(crate) fn look_again(&self, user: UserId) {
        if let Some(open) = self.users().get(&user) {
            open.word.send_replace(());
        }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Open>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns what changes when the socket should be looked at.
    pub(crate) fn word(&self) -> watch::Receiver<()> {
        let users = self.sockets.users();
        // Each seat has an entry until it is dropped.
        users.get(&self.user).map_or_else(|| watch::channel(()).1, |open| open.word.subscribe())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut users = self.sockets.users();
        let Some(open) = users.get_mut(&self.user) else { return };
        open.count -= 1;
        if open.count == 0 {
            users.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_per_user_and_free_again_f9() {
        let (sockets, ana) = (Sockets::default(), UserId::random());

        let first = sockets.seat(ana, 2);
        let second = sockets.seat(ana, 2);
        assert!(sockets.seat(ana, 2).is_none());
        assert!(sockets.seat(UserId::random(), 2).is_some());
        drop(first);
        assert!(sockets.seat(ana, 2).is_some());
        drop(second);

        assert_eq!(sockets.users().len(), 0);
        assert!(sockets.running.is_empty());
    }
}
