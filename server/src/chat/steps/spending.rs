//! What a user's answers may cost in a day (F109).
//!
//! Looked at before the model is asked, written down when a turn ends, over all replicas. Whoever cannot be counted is
//! answered: a budget is no reason to be silent.

use std::time::Duration;

use jiff::Timestamp;

use super::Steps;
use crate::llm::Failure;

const DAY_SECONDS: i64 = 24 * 3600;

impl Steps {
    /// Fails when the user's answers have cost today what they may.
    pub(super) async fn within_budget(&self) -> Result<(), Failure> {
        let most = self.parts.config.limits.tokens_per_day;
        if most == 0 {
            return Ok(());
        }
        self.settle().await;
        let now = self.parts.clock.wall();
        match self.parts.storage.spent_tokens(self.user, day(now)).await {
            Ok(spent) if spent >= most => Err(Failure::Spent { retry_after: until_tomorrow(now) }),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "tokens of the day are not known");
                Ok(())
            }
        }
    }

    /// Writes down what was spent since the last time; kept for the next time where the store does not take it.
    pub(super) async fn settle(&self) {
        let tokens = self.meter.take();
        if tokens == 0 || self.parts.config.limits.tokens_per_day == 0 {
            return;
        }
        let day = day(self.parts.clock.wall());
        if let Err(error) = self.parts.storage.spend_tokens(self.user, day, tokens).await {
            tracing::error!(%error, "tokens could not be written down");
            self.meter.add(tokens);
        }
    }
}

/// Returns the day of UTC, counted from 1970.
fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY_SECONDS)
}

fn until_tomorrow(at: Timestamp) -> Duration {
    Duration::from_secs((DAY_SECONDS - at.as_second().rem_euclid(DAY_SECONDS)).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_of_utc_f109() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();

        assert_eq!(day(at("1970-01-02T00:00:00Z")), 1);
        assert_eq!(day(at("1969-12-31T23:59:59Z")), -1);
        assert_eq!(until_tomorrow(at("2026-11-22T12:00:00Z")), Duration::from_hours(12));
        assert_eq!(until_tomorrow(at("2026-11-22T23:59:59Z")), Duration::from_secs(1));
        assert_eq!(until_tomorrow(at("2026-11-22T00:00:00Z")), Duration::from_hours(24));
    }
}
