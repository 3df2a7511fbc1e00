//! Where a scenario takes place: a running target, the model behind it, and the time of both.
//!
//! One way to wait, two clocks: virtual time hops until the evidence is there, real time waits for it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use clock::{Activity, Clock, Instant, Lab, SharedClock, SystemClock};
use futures_util::future::BoxFuture;
use metrics_util::{CompositeKey, debugging::DebugValue};
use mock_deepseek::MockDeepSeek;

use crate::{
    expr::{Expr, Settings},
    line::{Lines, Replica},
    observation::Metric,
    record::Recorder,
    target::{Entrance, Process},
};

/// Longest real pause between two looks at evidence that does not announce itself.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The time of a world.
#[derive(Clone, Debug)]
pub(crate) enum Time {
    /// Moves only when the scenario says so.
    Virtual(Lab),
    /// Moves by itself.
    Real(SystemClock),
}

/// The harness can no longer go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// The program under test does not come to rest.
    #[error(transparent)]
    Unsettled(#[from] clock::Unsettled),
    /// Something else, in words that say what to do.
    #[error("{0}")]
    Other(String),
}

/// Makes the user of an e-mail address an administrator of the target.
#[derive(Clone)]
pub(crate) struct Crown(
    pub(crate) Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
);

impl std::fmt::Debug for Crown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Crown")
    }
}

/// A running target and everything needed to use it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) time: Time,
    /// `http://host:port` of the target.
    pub(crate) base: String,
    /// The same of its further replicas.
    pub(crate) others: Vec<String>,
    pub(crate) entrance: Entrance,
    pub(crate) llm: MockDeepSeek,
    pub(crate) recorder: Recorder,
    pub(crate) settings: Settings,
    /// The target's settings before the scenario chose its own.
    pub(crate) usual_settings: Settings,
    pub(crate) metrics: Option<metrics_util::debugging::Snapshotter>,
    /// Added to every time limit: what the network and the machine may cost.
    pub(crate) slack: Duration,
    /// The target's process, where it was started here.
    pub(crate) process: Option<Process>,
    /// The lines that something can be done to.
    pub(crate) lines: Lines,
    /// Makes administrators, where that can be done.
    pub(crate) crown: Option<Crown>,
    /// Where its database can be written to by hand.
    pub(crate) database_url: Option<String>,
    /// Makes e-mail addresses unique between runs against the same database.
    pub(crate) nonce: String,
    /// Whether a probe was ever answered: only who was sound can be waited for to be so again.
    pub(crate) was_sound: AtomicBool,
}

impl World {
    /// Returns `http://host:port` of a replica.
    pub(crate) fn base_of(&self, replica: Replica) -> Result<&str, Broken> {
        let absent = || Broken::Other(format!("the target has no replica {replica}"));
        match replica.index().checked_sub(1) {
            None => Ok(&self.base),
            Some(n) => self.others.get(n).map(String::as_str).ok_or_else(absent),
        }
    }

    /// Returns a setting that is a duration.
    pub(crate) fn settings_span(&self, name: &str) -> Option<Duration> {
        name.parse::<Expr>().ok()?.duration(&self.settings).ok()
    }

    /// Returns the target's metrics as they are now, if it shows them.
    pub(crate) fn metrics(&self) -> Option<Vec<Metric>> {
        let rows = self.metrics.as_ref()?.snapshot().into_vec();
        let metric = |(key, _, _, value): (CompositeKey, _, _, DebugValue)| {
            let (_, key) = key.into_parts();
            let labels =
                key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
            #[expect(clippy::cast_precision_loss, reason = "counters of a scenario are small")]
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(level) => level.into_inner(),
                DebugValue::Histogram(values) => values.len() as f64,
            };
            Metric { name: key.name().to_owned(), labels, value }
        };
        Some(rows.into_iter().map(metric).collect())
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock().now()
    }

    pub(crate) fn clock(&self) -> SharedClock {
        self.time.clock()
    }

    /// Returns the counter that sockets of the harness report to.
    pub(crate) fn activity(&self) -> Activity {
        match &self.time {
            Time::Virtual(lab) => lab.activity().clone(),
            Time::Real(_) => Activity::default(),
        }
    }

    /// Returns whether the target was started for this scenario alone.
    pub(crate) const fn is_fresh(&self) -> bool {
        matches!(self.time, Time::Virtual(_))
    }

    /// Lets the program come to rest; with real time there is no such moment, and nothing is done.
    pub(crate) async fn settle(&self) -> Result<(), Broken> {
        match &self.time {
            Time::Virtual(lab) => Ok(lab.settled().await?),
            Time::Real(_) => Ok(()),
        }
    }

    /// Lets time pass.
    pub(crate) async fn advance(&self, by: Duration) -> Result<(), Broken> {
        match &self.time {
            Time::Virtual(lab) => Ok(lab.advance(by).await?),
            Time::Real(clock) => {
                clock.sleep(by).await;
                Ok(())
            }
        }
    }

    /// Waits for evidence, at most `within`; tells whether it came.
    pub(crate) async fn until(
        &self,
        within: Duration,
        mut evidence: impl FnMut() -> bool,
    ) -> Result<bool, Broken> {
        let limit = self.now() + within + self.slack;
        match &self.time {
            Time::Virtual(lab) => Ok(lab.advance_until(limit, evidence).await?),
            Time::Real(clock) => loop {
                if evidence() {
                    return Ok(true);
                }
                if clock.now() >= limit {
                    return Ok(false);
                }
                let look_again = clock.sleep(LOOK_EVERY.min(limit.remaining(clock.now())));
                tokio::select! {
                    () = self.recorder.changed() => {}
                    () = look_again => {}
                }
            },
        }
    }

    /// Returns an address of this machine for the `n`th user, so that limits by address keep people apart.
    pub(crate) fn address(n: usize) -> IpAddr {
        let last = u8::try_from(10 + n % 200).unwrap_or(u8::MAX);
        Ipv4Addr::new(127, 0, 0, last).into()
    }
}

impl Time {
    pub(crate) fn clock(&self) -> SharedClock {
        match self {
            Self::Virtual(lab) => std::sync::Arc::new(lab.clock().clone()),
            Self::Real(clock) => std::sync::Arc::new(*clock),
        }
    }
}
