//! Time, handed in.
//!
//! Everything that waits or expires asks a [`Clock`]: for the wall time, for monotonic time, and
//! for a sleep. [`SystemClock`] is the real one. [`ManualClock`] stands still until it is advanced,
//! and then *hops*: from sleeper to sleeper, and at each hop it waits until the program has
//! *settled* ([`Lab`]), so that what happens at one instant is over before the next one begins.
//!
//! Invariant: under a manual clock, nothing that a program does depends on how fast the machine is.
//!
//! This crate knows no protocol and no policy; a time-out is somebody else's decision.

#![warn(missing_docs)]

mod activity;
mod instant;
mod lab;
mod manual;
mod system;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

pub use activity::{Activity, Metered, Operation};
pub use instant::Instant;
pub use jiff::Timestamp;
pub use lab::{Lab, SETTLE_LIMIT, STUCK_LIMIT, Unsettled};
pub use manual::ManualClock;
pub use system::SystemClock;

/// A sleep that a clock hands out; dropping it cancels the wait.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A clock that many parts share.
pub type SharedClock = Arc<dyn Clock>;

/// Wall time, monotonic time and waiting, from one source.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the calendar time. It may jump on a real machine: never measure with it.
    fn wall(&self) -> Timestamp;

    /// Returns the monotonic time since the clock was made.
    fn now(&self) -> Instant;

    /// Sleeps until `deadline`; returns at once when it has passed.
    fn sleep_until(&self, deadline: Instant) -> Sleep;

    /// Sleeps for `duration` from now.
    fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }
}

/// The time limit of [`timeout_at`] was reached before the future was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl std::error::Error for Elapsed {}

/// Runs `future` until `deadline` on `clock`.
///
/// The future is polled first, so work that is ready at the very deadline still counts.
/// Cancellation: on [`Elapsed`] the future is dropped.
pub async fn timeout_at<F: Future>(
    clock: &dyn Clock,
    deadline: Instant,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut limit = clock.sleep_until(deadline);
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = &mut limit => Err(Elapsed),
    }
}

/// Runs `future` for at most `limit` on `clock`; see [`timeout_at`].
pub async fn timeout<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    timeout_at(clock, clock.now() + limit, future).await
}
