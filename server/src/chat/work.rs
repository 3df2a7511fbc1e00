//! The step under way.
//!
//! Invariant: the step's time never waits for a client. While a frame is sent, the step goes on beside it, so
//! that a client that does not read holds no connection to the model beyond the turn.

use std::pin::Pin;

use super::steps::Finished;

type Running = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// At most one step, running or done and not yet looked at.
#[derive(Default)]
pub(super) struct Work {
    running: Option<Running>,
    finished: Option<Finished>,
}

impl Work {
    /// Begins a step in the place of the last one.
    pub(super) fn start(&mut self, step: impl Future<Output = Finished> + Send + 'static) {
        *self = Self { running: Some(Box::pin(step)), finished: None };
    }

    /// Gives the step up.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// Returns whether there is a step whose end was not yet looked at.
    pub(super) const fn is_some(&self) -> bool {
        self.running.is_some() || self.finished.is_some()
    }

    /// Waits for the end of the step, for ever if there is none. Cancellation-safe.
    pub(super) async fn finished(&mut self) -> Finished {
        self.run().await;
        match self.finished.take() {
            Some(finished) => finished,
            None => std::future::pending().await,
        }
    }

    /// Does something else, and lets the step go on meanwhile.
    pub(super) async fn beside<T>(&mut self, mut other: impl Future<Output = T> + Unpin) -> T {
        tokio::select! {
            biased;
            output = &mut other => output,
            () = self.run() => other.await,
        }
    }

    /// Runs the step to its end, if it has not ended.
    async fn run(&mut self) {
        if let Some(running) = &mut self.running {
            self.finished = Some(running.await);
            self.running = None;
        }
    }
}
