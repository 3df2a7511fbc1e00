//! When a user's questions are due.
//!
//! Invariant: in an open model no answer moves a due time. Whoever is late asks at once and is measured from when the
//! question was due.

use std::time::Duration;

use clock::Instant;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::profile::{Arrival, Chat};

/// The due times of one user.
#[derive(Debug)]
pub(crate) struct Pace {
    arrival: Arrival,
    every: Duration,
    next: Instant,
    dice: StdRng,
}

impl Pace {
    /// Begins at `from`; users of one seed begin at different moments, and at the same ones in every run.
    pub(crate) fn new(chat: &Chat, seed: u64, user: usize, from: Instant) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ user as u64);
        let next = from + chat.every.mul_f64(dice.random::<f64>());
        Self { arrival: chat.arrival, every: chat.every, next, dice }
    }

    /// Returns when the next question is due; `free` is when the user could ask it at the earliest.
    pub(crate) fn due(&mut self, free: Instant) -> Instant {
        let due = self.next;
        let wait = match self.arrival {
            Arrival::Steady => self.every,
            // The inverse of the distribution; one less a share below one is never zero.
            Arrival::Poisson => self.every.mul_f64(-(1.0 - self.dice.random::<f64>()).ln()),
            Arrival::Closed => return due.max(free + self.every),
        };
        self.next = due + wait;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(arrival: Arrival) -> Pace {
        let chat = Chat {
            arrival,
            every: Duration::from_secs(1),
            message: String::new(),
            emergency: false,
            reconnects: false,
            tunnel: None,
        };
        Pace::new(&chat, 1, 7, Instant::ZERO)
    }

    #[test]
    fn in_an_open_model_a_late_answer_moves_nothing_l4() {
        for arrival in [Arrival::Steady, Arrival::Poisson] {
            let (mut punctual, mut late) = (pace(arrival), pace(arrival));

            let first: Vec<_> = (0..20).map(|_| punctual.due(Instant::ZERO)).collect();
            let second: Vec<_> = (0..20).map(|_| late.due(Instant::ZERO + Duration::from_mins(5))).collect();

            assert_eq!(first, second);
        }
    }

    #[test]
    fn in_a_closed_model_somebody_thinks_after_the_answer_l4() {
        let free = Instant::ZERO + Duration::from_secs(100);

        assert_eq!(pace(Arrival::Closed).due(free), free + Duration::from_secs(1));
    }

    #[test]
    fn chance_keeps_the_rate_l4() {
        let mut pace = pace(Arrival::Poisson);

        let last = (0..10_000).map(|_| pace.due(Instant::ZERO)).last().unwrap();

        let mean = last.since_origin().as_secs_f64() / 10_000.0;
        assert!((0.97..1.03).contains(&mean), "{mean}");
    }
}
