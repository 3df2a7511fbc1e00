//! Our clock as hyper reads it.

use std::{
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use clock::SharedClock;
use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// A timer over the handed-in clock.
///
/// hyper counts in the standard library's instants, which cannot be made from a number. So one is taken
/// as the origin; only distances from it mean anything.
#[derive(Clone, Debug)]
pub(super) struct ClockTimer {
    clock: SharedClock,
    origin: Instant,
}

impl ClockTimer {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, origin: TokioTimer::new().now() }
    }
}

impl Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(ClockSleep(Mutex::new(self.clock.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let since = deadline.saturating_duration_since(self.origin);
        Box::pin(ClockSleep(Mutex::new(self.clock.sleep_until(clock::Instant::from_origin(since)))))
    }

    fn now(&self) -> Instant {
        let since = self.clock.now().since_origin();
        self.origin.checked_add(since).unwrap_or(self.origin)
    }
}

/// hyper wants sleeps that may be shared between threads; ours are made so by a lock that nobody else asks for.
struct ClockSleep(Mutex<clock::Sleep>);

impl Future for ClockSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.get_mut() {
            Ok(sleep) => sleep.as_mut().poll(cx),
            Err(poisoned) => poisoned.into_inner().as_mut().poll(cx),
        }
    }
}

impl Sleep for ClockSleep {}
