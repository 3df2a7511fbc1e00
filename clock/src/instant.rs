//! A point on a clock's monotonic line.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// Monotonic time as the distance from the clock's own beginning.
///
/// Unlike `std::time::Instant` it can be made from a number, printed and compared across runs.
/// Instants of two clocks must not be mixed. Arithmetic saturates; it never panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// The moment at which the clock began.
    pub const ZERO: Self = Self(Duration::ZERO);
    /// Later than any sleep: a deadline that never comes.
    pub const FAR: Self = Self(Duration::MAX);

    /// Makes the instant that lies `since` after the beginning of the clock.
    pub const fn from_origin(since: Duration) -> Self {
        Self(since)
    }

    /// Returns the time since the beginning of the clock.
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// Returns how long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Returns how long it is from `now` to this instant; zero when it has passed.
    pub const fn remaining(self, now: Self) -> Duration {
        self.0.saturating_sub(now.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0.as_secs(), self.0.subsec_millis())
    }
}
