//! How long a turn may take, as one value that travels with it.
//!
//! The total runs from the moment at which the message was read, so that waiting for its place counts.
//! As long as nothing is shown, the model has to have answered by `total − reserve`: the reserve is for
//! sending a whole fallback. Once text is shown, only a short notice is left to send, and the stream may
//! use the total to its very end.
//!
//! Invariant: no limit handed out lies after [`Deadline::end`]. It has no clock; moments come in.

use std::time::Duration;

use clock::Instant;

use crate::config::Llm;

/// The limits of one turn.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    reserve: Duration,
    first_token: Duration,
    gap: Duration,
    retry_floor: Duration,
    share: Duration,
}

impl Deadline {
    /// Makes the deadline of a message that was read at `read_at`.
    pub fn new(read_at: Instant, settings: &Llm) -> Self {
        Self {
            end: read_at + settings.total,
            reserve: settings.reserve,
            first_token: settings.first_token,
            gap: settings.gap,
            retry_floor: settings.retry_floor,
            share: settings.first_token.min(settings.total.saturating_sub(settings.reserve)) / 2,
        }
    }

    /// Returns when the turn must be over.
    pub const fn end(&self) -> Instant {
        self.end
    }

    /// Returns until when something visible must have come, if nothing has yet.
    pub fn answer_by(&self) -> Instant {
        self.end - self.reserve
    }

    /// Returns until when an attempt that began at `began` must show its first token.
    pub fn first_token(&self, began: Instant) -> Instant {
        (began + self.first_token).min(self.answer_by())
    }

    /// Returns until when the token after the one of `last` must come.
    pub fn next_token(&self, last: Instant) -> Instant {
        (last + self.gap).min(self.end)
    }

    /// Returns whether an attempt that begins at `began` still gets at least half of the time that a
    /// first token may take. If not, its silence is no fault of the model.
    pub fn is_fair(&self, began: Instant) -> bool {
        self.first_token(began).remaining(began) >= self.share
    }

    /// Returns whether another attempt at `now` makes sense.
    pub fn allows_retry(&self, now: Instant) -> bool {
        self.end.remaining(now) >= self.retry_floor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn a_stream_that_shows_text_may_use_the_total_and_a_silent_one_not_the_reserve() {
        let deadline = Deadline::new(at(1000), &Llm::default());

        assert_eq!(deadline.next_token(at(25_000)), at(31_000));
        assert_eq!(deadline.first_token(at(25_000)), at(30_500));
        assert_eq!(deadline.first_token(at(1000)), at(9000));
        assert_eq!(deadline.next_token(at(5000)), at(15_000));
    }

    #[test]
    fn a_retry_needs_three_seconds() {
        let deadline = Deadline::new(at(0), &Llm::default());

        assert!(deadline.allows_retry(at(27_000)));
        assert!(!deadline.allows_retry(at(27_001)));
    }

    proptest! {
        #[test]
        fn no_limit_lies_after_the_end(read in 0u64..100_000, later in 0u64..100_000) {
            let deadline = Deadline::new(at(read), &Llm::default());

            prop_assert!(deadline.first_token(at(read + later)) <= deadline.end());
            prop_assert!(deadline.next_token(at(read + later)) <= deadline.end());
        }
    }
}
