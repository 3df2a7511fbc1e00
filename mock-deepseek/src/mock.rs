//! The mock as a library: build, start, program, ask, stop.
//!
//! Invariant: a mock that is dropped leaves no task and no socket behind, and says loudly when its
//! expectations were not met.

mod builder;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    expectation::{Expectation, Unmet},
    journal::Exchange,
    script::{Script, ScriptError},
    select::Selector,
    shared::Shared,
};

pub use builder::{Builder, StartError};

/// A running DeepSeek that does what it is told.
///
/// It runs on the runtime on which it was started. Dropping it stops it and checks its
/// [expectations](Self::expect).
#[derive(Debug)]
pub struct MockDeepSeek {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    stopped: CancellationToken,
    control: Option<JoinHandle<()>>,
    expected: Mutex<Vec<Expectation>>,
}

impl MockDeepSeek {
    /// Begins to make a mock.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Starts a mock with all defaults on a free port.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Returns the base URL for clients, without a slash at the end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.shared.scheme(), self.address)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the control API, without a slash at the end, if there is one.
    pub fn control_url(&self) -> Option<String> {
        self.shared.control.map(|address| format!("http://{address}"))
    }

    /// Replaces the script for requests to come; the counters of rules begin anew.
    pub fn set_script(&self, script: Script) {
        *self.shared.selector() = Selector::new(script);
        self.shared.orders.set_script(None);
    }

    /// Replaces the script by its text, which the control API then shows; a text that cannot be read
    /// changes nothing.
    pub fn set_script_text(&self, text: &str) -> Result<(), ScriptError> {
        self.shared.load_script(text)
    }

    /// Returns all exchanges in order of arrival, as far as they have got.
    pub fn journal(&self) -> Vec<Exchange> {
        self.shared.journal.snapshot()
    }

    /// Returns how many requests have arrived since it started.
    pub fn requests(&self) -> u64 {
        self.shared.journal.watch.metrics.exchanges_total()
    }

    /// Forgets the journal, the prompt cache, the uploaded files and the faults that the control API ordered for every
    /// request, and sets the counters of the rules to zero. The script stays, and answers under way go on.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Expects so many chat requests by the time the mock is dropped; a later number replaces an earlier one.
    pub fn expect(&self, requests: usize) {
        let mut expected = self.expected();
        expected.retain(|expectation| !expectation.is_bare());
        expected.push(Expectation::requests(requests));
    }

    /// Expects this too by the time the mock is dropped.
    ///
    /// ```no_run
    /// # async fn test() -> Result<(), mock_deepseek::StartError> {
    /// use mock_deepseek::{Expectation, MockDeepSeek};
    ///
    /// let mock = MockDeepSeek::start().await?;
    /// mock.expect_that(Expectation::requests(2).containing("week").model("deepseek-flash"));
    /// mock.expect_that(Expectation::requests(0).path("/v1/completions"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn expect_that(&self, expectation: Expectation) {
        self.expected().push(expectation);
    }

    /// Checks the expectations now; the first that is not met is told.
    pub fn verify(&self) -> Result<(), Unmet> {
        let expected = self.expected();
        if expected.is_empty() {
            return Ok(());
        }
        let journal = self.journal();
        expected.iter().try_for_each(|expectation| expectation.verify(&journal).map(|_| ()))
    }

    /// Closes the listeners and all connections; expectations are checked as on dropping.
    pub async fn stop(self) {
        self.finish(Duration::ZERO).await;
    }

    /// Stops in order: takes no more connections and requests, lets answers under way end for at most
    /// `within`, and closes what is left then. Returns how many answers were cut.
    ///
    /// Cancellation: everything is closed at once. Expectations are checked as on dropping.
    pub async fn finish(mut self, within: Duration) -> u64 {
        let clock = Arc::clone(&self.shared.clock);
        self.shared.closing.cancel();
        let mut cut = 0;
        if within.is_zero() || clock::timeout(&*clock, within, &mut self.server).await.is_err() {
            cut = self.shared.journal.watch.metrics.exchanges_open();
            self.shared.journal.stop();
            self.stopped.cancel();
            warn_unless_clean((&mut self.server).await);
        }
        self.stopped.cancel();
        if let Some(control) = &mut self.control {
            warn_unless_clean(control.await);
        }
        cut
    }

    #[cfg(test)]
    pub(crate) fn a_control(&self) -> crate::control::Control {
        crate::control::Control::new(Arc::clone(&self.shared), self.address, None)
    }

    fn expected(&self) -> MutexGuard<'_, Vec<Expectation>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn warn_unless_clean(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::warn!(%error, "mock did not stop cleanly");
    }
}

impl Drop for MockDeepSeek {
    /// # Panics
    ///
    /// When an [expectation](Self::expect) was not met, unless the thread panics already.
    fn drop(&mut self) {
        self.shared.journal.stop();
        self.server.abort();
        if let Some(control) = &self.control {
            control.abort();
        }
        match self.verify() {
            Err(unmet) if !std::thread::panicking() => panic!("{unmet}"),
            _ => {}
        }
    }
}
