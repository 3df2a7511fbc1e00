//! The wish to stop.

/// Hears of each wish to stop the process, from the moment on that it is made.
///
/// Where no handler can be installed it hears nothing, and the system's own way of stopping stays.
pub(crate) struct Wishes {
    #[cfg(unix)]
    heard: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Wishes {
    /// Begins to listen for Ctrl-C and SIGTERM. Needs a tokio runtime.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let both = signal(SignalKind::interrupt())
            .and_then(|interrupt| signal(SignalKind::terminate()).map(|terminate| [interrupt, terminate]));
        Self { heard: both.ok() }
    }

    /// Begins to listen for Ctrl-C.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// Waits until the process is asked to stop, once more.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        let Some([interrupt, terminate]) = &mut self.heard else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Waits until the process is asked to stop, once more.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Waits until the process is asked to stop.
#[cfg(feature = "lab")]
pub(crate) async fn stop() {
    Wishes::listen().next().await;
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::{self, Command};

    use super::*;

    fn kill(signal: &str) {
        let done = Command::new("kill").args(["-s", signal, &process::id().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()));
    }

    #[tokio::test]
    async fn every_wish_is_heard_not_only_the_first() {
        let mut wishes = Wishes::listen();

        kill("INT");
        wishes.next().await;
        kill("TERM");
        wishes.next().await;
        kill("INT");
        wishes.next().await;
    }
}
