//! The mock as a library: start, program, ask, stop. How it is made is in [`builder`].
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

pub use builder::{Builder, StartError};

#[cfg(test)]
use crate::control;
use crate::{
    expectation::{Expectation, Unmet},
    journal::Exchange,
    record::Recorded,
    script::Script,
    shared::{Shared, Source},
    stage::{LoadError, ScriptStatus},
};

/// A running DeepSeek that does what it is told.
///
/// It runs on the runtime on which it was started. Dropping it stops it and checks its
/// [expectations](Self::expect).
#[derive(Debug)]
pub struct MockDeepSeek {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// Watches the script file.
    watcher: Option<JoinHandle<()>>,
    stopped: CancellationToken,
    control: Option<JoinHandle<()>>,
    expected: Mutex<Vec<Expectation>>,
}

impl MockDeepSeek {
    /// Begins to make a mock.
    pub fn builder() -> Builder {
        Builder::default()
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

    /// Replaces the script for requests to come; the counters of rules and the balance begin anew. A
    /// watched file replaces it again when it changes.
    pub fn set_script(&self, script: Script) {
        self.shared.stage.play(script, None, self.shared.clock.now());
    }

    /// Replaces the script by its text, which the control API then shows; a text that is refused changes nothing.
    pub fn set_script_text(&self, text: &str) -> Result<(), LoadError> {
        self.shared.load_script(text)
    }

    /// Tells which script is played, and why not the newest version of the watched file.
    pub fn script_status(&self) -> ScriptStatus {
        self.shared.stage.status()
    }

    /// Tells what has been recorded; `None` unless the mock [records](Builder::record).
    pub fn recorded(&self) -> Option<Recorded> {
        match &self.shared.source {
            Source::Upstream(deck) => Some(deck.recorded()),
            _ => None,
        }
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
    /// request, sets the counters of the rules and of a replay to zero and the balance to its start. The script stays,
    /// and answers under way go on.
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
        expected.iter().try_for_each(|expectation| expectation.verify(&self.shared.journal).map(|_| ()))
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
        self.forget_file();
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

    fn forget_file(&self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }

    #[cfg(test)]
    pub(crate) fn a_control(&self) -> control::Control {
        control::Control::new(Arc::clone(&self.shared), self.address, None)
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
        self.forget_file();
        if let Some(control) = &self.control {
            control.abort();
        }
        match self.verify() {
            Err(unmet) if !std::thread::panicking() => panic!("{unmet}"),
            _ => {}
        }
    }
}
