//! How many attempts may be repeated, over all turns.
//!
//! Each turn pays a share into the budget and each retry takes one out, so that retries add at most
//! that share to the load of a model that is down; beside it, one retry a second is always free, so
//! that a quiet server can retry at all. It ignores why an attempt failed.

use std::time::Duration;

use clock::Instant;

/// A free retry comes back after so long.
const FLOOR: Duration = Duration::from_secs(1);
/// Retries that can be saved up.
const SAVED_MAX: f64 = 10.0;

/// The budget of one model.
#[derive(Debug)]
pub struct Budget {
    share: f64,
    saved: f64,
    free_at: Instant,
}

impl Budget {
    /// Makes an empty budget into which each turn pays `share` (0 to 1).
    pub const fn new(share: f64) -> Self {
        Self { share, saved: 0.0, free_at: Instant::ZERO }
    }

    /// Takes note of a turn.
    pub fn deposit(&mut self) {
        self.saved = (self.saved + self.share).min(SAVED_MAX);
    }

    /// Takes one retry; `false` when there is none.
    pub fn withdraw(&mut self, now: Instant) -> bool {
        if self.free_at <= now {
            self.free_at = now + FLOOR;
            return true;
        }
        // The tolerance is for sums such as five times 0.2.
        if self.saved < 1.0 - 1e-9 {
            return false;
        }
        self.saved -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_adds_a_fifth_and_one_a_second() {
        let mut budget = Budget::new(0.2);
        let mut retries = 0;

        for turn in 0..100 {
            budget.deposit();
            let now = Instant::from_origin(Duration::from_millis(turn * 20));
            retries += u32::from(budget.withdraw(now));
        }

        assert_eq!(retries, 2 + 20, "two seconds of floor, and a fifth of the turns");
    }

    #[test]
    fn a_quiet_server_can_always_retry_once_a_second() {
        let mut budget = Budget::new(0.0);

        assert!(budget.withdraw(Instant::ZERO));
        assert!(!budget.withdraw(Instant::from_origin(Duration::from_millis(999))));
        assert!(budget.withdraw(Instant::from_origin(Duration::from_secs(1))));
    }
}
