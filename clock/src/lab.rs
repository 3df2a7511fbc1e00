//! A runtime whose every step can be awaited: hop and settle.
//!
//! All parts of an experiment run on one current-thread runtime. It has *settled* when no task is
//! runnable, no byte is under way between two of its own sockets and no work goes on on another
//! thread. The runtime tells the first by its park hook; [`Activity`] tells the rest. One end of a
//! connection may belong to a library that cannot be metered, so a settled state must also survive
//! [`QUIET_ROUNDS`] looks at the sockets in which nothing happens.

use std::{
    future::poll_fn,
    io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::{Activity, Clock, Instant, ManualClock};

/// How many times in a row the sockets must have nothing new. A byte needs at most three looks from
/// one metered place to the next (connected, written, read); the rest is margin.
const QUIET_ROUNDS: u32 = 8;

/// Real time without any event after which a program that has not settled counts as stuck.
pub const STUCK_LIMIT: Duration = Duration::from_secs(20);

/// Real time after which a program that stays busy is reported instead of awaited.
pub const SETTLE_LIMIT: Duration = Duration::from_mins(5);

/// The program did not settle: it is stuck on something that is not ours ([`STUCK_LIMIT`]), or
/// it stays busy ([`SETTLE_LIMIT`]).
#[derive(Debug, Clone)]
pub struct Unsettled {
    reason: String,
}

impl std::fmt::Display for Unsettled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "program did not settle: {}", self.reason)
    }
}

impl std::error::Error for Unsettled {}

/// A manual clock together with the means to see when a program has settled.
///
/// Clones share both.
#[derive(Clone, Debug)]
pub struct Lab {
    clock: ManualClock,
    activity: Activity,
    idle: Arc<Idle>,
}

/// Who waits for the runtime to run out of work.
#[derive(Debug, Default)]
struct Idle {
    waiter: Mutex<Waiter>,
}

#[derive(Debug, Default)]
struct Waiter {
    waker: Option<Waker>,
    reached: bool,
}

impl Lab {
    /// Builds the runtime of an experiment, and the laboratory that moves its time.
    ///
    /// Everything that is to be awaited must run on this runtime.
    pub fn new(began: Timestamp) -> io::Result<(Runtime, Self)> {
        let activity = Activity::default();
        let clock = ManualClock::with_activity(began, activity.clone());
        let idle = Arc::new(Idle::default());
        let lab = Self { clock, activity: activity.clone(), idle: Arc::clone(&idle) };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || {
                if activity.under_way().is_none() {
                    idle.announce();
                }
            })
            .build()?;
        Ok((runtime, lab))
    }

    /// Returns the clock to hand to every part.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Returns the counter that sockets and threads report to.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Waits until the program has settled.
    ///
    /// Cancellation-safe; one caller at a time.
    #[expect(clippy::disallowed_methods, reason = "guards against a program that never rests, in real time")]
    pub async fn settled(&self) -> Result<(), Unsettled> {
        let quiet = async {
            let (mut seen, mut rounds) = (self.activity.events(), 0);
            while rounds < QUIET_ROUNDS {
                self.round(seen).await?;
                let events = self.activity.events();
                rounds = if events == seen { rounds + 1 } else { 0 };
                seen = events;
            }
            Ok(())
        };
        let busy = |_| Err(Unsettled { reason: format!("busy for {SETTLE_LIMIT:?} of real time") });
        tokio::time::timeout(SETTLE_LIMIT, quiet).await.unwrap_or_else(busy)
    }

    /// Waits until no task is runnable, as long as anything happens at all.
    #[expect(clippy::disallowed_methods, reason = "guards against a program that is stuck, in real time")]
    async fn round(&self, mut seen: u64) -> Result<(), Unsettled> {
        let mut reached = pin!(self.idle.reached());
        while tokio::time::timeout(STUCK_LIMIT, reached.as_mut()).await.is_err() {
            let events = self.activity.events();
            if events == seen {
                let under_way =
                    self.activity.under_way().unwrap_or_else(|| "a task that never rests".to_owned());
                return Err(Unsettled {
                    reason: format!("nothing has happened for {STUCK_LIMIT:?}, waiting for {under_way}"),
                });
            }
            seen = events;
        }
        Ok(())
    }

    /// Advances time by `by`: hops from sleeper to sleeper and lets the program settle at each hop.
    pub async fn advance(&self, by: Duration) -> Result<(), Unsettled> {
        self.advance_to(self.clock.now() + by).await
    }

    /// Advances time to `target`; see [`advance`](Self::advance).
    pub async fn advance_to(&self, target: Instant) -> Result<(), Unsettled> {
        self.advance_until(target, || false).await.map(|_| ())
    }

    /// Advances time to `target`, or less far if `reached` says so after a hop.
    ///
    /// Returns whether `reached` ended the journey.
    pub async fn advance_until(
        &self,
        target: Instant,
        mut reached: impl FnMut() -> bool,
    ) -> Result<bool, Unsettled> {
        loop {
            self.settled().await?;
            if reached() {
                return Ok(true);
            }
            match self.clock.next_deadline() {
                Some(next) if next <= target => self.clock.jump(next),
                _ if self.clock.now() < target => self.clock.jump(target),
                _ => return Ok(false),
            }
        }
    }
}

impl Idle {
    /// Called by the runtime when no task is runnable.
    fn announce(&self) {
        let mut waiter = self.waiter();
        if let Some(waker) = waiter.waker.take() {
            waiter.reached = true;
            drop(waiter);
            waker.wake();
        }
    }

    /// Waits for the next moment at which no task is runnable.
    fn reached(&self) -> impl Future<Output = ()> + '_ {
        self.waiter().reached = false;
        poll_fn(|cx| {
            let mut waiter = self.waiter();
            if std::mem::take(&mut waiter.reached) {
                return Poll::Ready(());
            }
            waiter.waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    fn waiter(&self) -> MutexGuard<'_, Waiter> {
        self.waiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test that needs work on another thread")]
mod tests {
    use std::{
        net::SocketAddr,
        sync::atomic::{AtomicU32, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{Elapsed, timeout_at};

    const GAP: Duration = Duration::from_secs(10);
    const TOTAL: Duration = Duration::from_secs(30);

    /// Serves one connection: a byte every `every`, for ever.
    async fn drip(lab: Lab, listener: TcpListener, every: Duration) {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = lab.activity().metered(stream).unwrap();
        while stream.write_all(b"x").await.is_ok() {
            lab.clock().sleep(every).await;
        }
    }

    /// Reads until the gap or the total limit ends it; tells when, and after how many bytes.
    async fn read(lab: Lab, address: SocketAddr) -> (Duration, usize) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let clock = lab.clock();
        let (end, mut bytes) = (clock.now() + TOTAL, 0);
        loop {
            let mut byte = [0];
            let limit = end.min(clock.now() + GAP);
            match timeout_at(clock, limit, stream.read_exact(&mut byte)).await {
                Ok(_) => bytes += 1,
                Err(Elapsed) => return (clock.now().since_origin(), bytes),
            }
        }
    }

    fn run_drip(every: Duration) -> (Duration, usize) {
        let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(drip(lab.clone(), listener, every));
            let reader = tokio::spawn(read(lab.clone(), address));
            lab.advance(Duration::from_mins(1)).await.unwrap();
            reader.await.unwrap()
        })
    }

    /// Keeps every core busy until dropped.
    struct Busy(Arc<AtomicU32>);

    impl Busy {
        fn cores() -> Self {
            let stop = Arc::new(AtomicU32::new(0));
            for _ in 0..std::thread::available_parallelism().unwrap().get() {
                let stop = Arc::clone(&stop);
                std::thread::spawn(move || {
                    while stop.load(Ordering::Relaxed) == 0 {
                        std::hint::spin_loop();
                    }
                });
            }
            Self(stop)
        }
    }

    impl Drop for Busy {
        fn drop(&mut self) {
            self.0.store(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_drip_over_a_real_socket_ends_the_same_way_200_times() {
        let ends: Vec<_> = (0..200).map(|_| run_drip(Duration::from_secs(5))).collect();

        assert_eq!(ends, vec![(TOTAL, 6); 200]);
    }

    #[test]
    fn a_drip_ends_the_same_way_200_times_while_every_core_is_busy() {
        let busy = Busy::cores();

        let ends: Vec<_> = (0..200).map(|_| run_drip(Duration::from_secs(5))).collect();

        drop(busy);
        assert_eq!(ends, vec![(TOTAL, 6); 200]);
    }

    #[test]
    fn a_gap_is_seen_at_its_very_instant() {
        assert_eq!(run_drip(Duration::from_secs(11)), (GAP, 1));
    }

    #[test]
    fn work_on_another_thread_holds_time_back() {
        let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();
        let done = Arc::new(AtomicU32::new(0));

        runtime.block_on(async {
            let (seen, operation) = (Arc::clone(&done), lab.activity().begin());
            tokio::spawn(async move {
                let work = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(30)));
                work.await.unwrap();
                seen.store(1, Ordering::Relaxed);
                drop(operation);
            });
            lab.advance(Duration::from_secs(1)).await.unwrap();
        });

        assert_eq!(done.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_end_that_rests_holds_no_time_back_until_it_reads_again() {
        let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();

        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut reader = lab.activity().metered(stream).unwrap();
            let mut writer = lab.activity().metered(listener.accept().await.unwrap().0).unwrap();
            reader.rest();

            writer.write_all(b"unread").await.unwrap();
            reader.write_all(b"not read either").await.unwrap();
            lab.advance(Duration::from_secs(1)).await.unwrap();

            writer.read_exact(&mut [0; 15]).await.unwrap();
            reader.resume();
            assert!(lab.activity().under_way().unwrap().contains("6 bytes"));
            reader.read_exact(&mut [0; 6]).await.unwrap();
            assert_eq!(lab.activity().under_way(), None);
        });
    }

    #[test]
    fn an_early_end_leaves_time_where_it_was_reached() {
        let (runtime, lab) = Lab::new(Timestamp::UNIX_EPOCH).unwrap();

        let reached = runtime.block_on(async {
            let clock = lab.clock().clone();
            let hit = Arc::new(AtomicU32::new(0));
            let seen = Arc::clone(&hit);
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(3)).await;
                seen.store(1, Ordering::Relaxed);
            });
            let target = Instant::from_origin(Duration::from_secs(9));
            lab.advance_until(target, || hit.load(Ordering::Relaxed) == 1).await.unwrap()
        });

        assert!(reached);
        assert_eq!(lab.clock().now().since_origin(), Duration::from_secs(3));
    }
}
