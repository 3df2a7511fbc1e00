//! The upgraded sockets of a server: how many there are, whose they are, and how they end.
//!
//! Invariant: no user has more of them than the setting `http.sockets_per_user`, no address more than
//! `http.sockets_per_address`; whoever has none leaves nothing behind.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::{config::Http, ids::UserId, limit::address};

/// The sockets. They run as tasks of their own and end when the server does. `Clone` shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    /// Counts them.
    pub(crate) running: TaskTracker,
    /// Ends them at once, after they had their time to end by themselves.
    pub(crate) cut: CancellationToken,
    open: Arc<Mutex<Open>>,
}

/// The open ones.
#[derive(Debug, Default)]
struct Open {
    users: HashMap<UserId, Theirs>,
    addresses: HashMap<IpAddr, usize>,
}

/// Whose socket it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The user's.
    User,
    /// The network address's.
    Address,
}

/// The sockets of one user.
#[derive(Debug, Default)]
struct Theirs {
    count: usize,
    /// Wakes whoever watches over them.
    word: watch::Sender<()>,
}

/// The place of an open socket, free again when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    sockets: Sockets,
    user: UserId,
    address: IpAddr,
    _running: TaskTrackerToken,
}

impl Sockets {
    /// Takes a place for a socket of a user at an address, or says who of them has as many as there may be.
    pub(crate) fn seat(&self, (user, address): (UserId, IpAddr), http: &Http) -> Result<Seat, Whose> {
        let address = address::group(address);
        let mut open = self.open();
        if open.users.get(&user).is_some_and(|theirs| theirs.count >= http.sockets_per_user) {
            return Err(Whose::User);
        }
        if open.addresses.get(&address).is_some_and(|count| *count >= http.sockets_per_address) {
            return Err(Whose::Address);
        }
        open.users.entry(user).or_default().count += 1;
        *open.addresses.entry(address).or_default() += 1;
        Ok(Seat { sockets: self.clone(), user, address, _running: self.running.token() })
    }

    /// Has the sockets of a user looked at now: something was changed that may end them.
    pub(crate) fn look_again(&self, user: UserId) {
        if let Some(theirs) = self.open().users.get(&user) {
            theirs.word.send_replace(());
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Returns what changes when the socket should be looked at.
    pub(crate) fn word(&self) -> watch::Receiver<()> {
        let open = self.sockets.open();
        // Each seat has an entry until it is dropped.
        let mut word =
            open.users.get(&self.user).map_or_else(|| watch::channel(()).1, |theirs| theirs.word.subscribe());
        // Whoever was logged out between the look at the token and the seat is looked at once more.
        word.mark_changed();
        word
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.sockets.open();
        if let Some(theirs) = open.users.get_mut(&self.user) {
            theirs.count -= 1;
            if theirs.count == 0 {
                open.users.remove(&self.user);
            }
        }
        if let Some(count) = open.addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_per_user_and_address_and_free_again_f9() {
        let (sockets, ana, bea) = (Sockets::default(), UserId::random(), UserId::random());
        let http = Http { sockets_per_user: 2, sockets_per_address: 3, ..Http::default() };
        let seat = |user, last| sockets.seat((user, [10, 0, 0, last].into()), &http);

        let seats = [seat(ana, 1), seat(ana, 1), seat(bea, 1)].map(Result::unwrap);
        assert_eq!(seat(ana, 2).unwrap_err(), Whose::User);
        assert_eq!(seat(bea, 1).unwrap_err(), Whose::Address);
        assert!(seat(bea, 2).is_ok());
        let [first, second, third] = seats;
        drop(first);
        assert!(seat(bea, 1).is_ok());
        drop((second, third));

        let open = sockets.open();
        assert_eq!((open.users.len(), open.addresses.len()), (0, 0));
        assert!(sockets.running.is_empty());
    }
}
