//! What a scenario's thread panics and logs, kept apart from all others.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, Once, PoisonError},
};

use tracing::Level;
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    registry,
};

/// Lines of log that are kept of a scenario.
const LOG_LINES: usize = 200;

thread_local! {
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Begins to collect the panics of this thread instead of printing them.
pub(super) fn begin_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printed = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_captured = PANICS.with_borrow_mut(|panics| match panics {
                Some(panics) => {
                    panics.push(info.to_string());
                    true
                }
                None => false,
            });
            if !is_captured {
                printed(info);
            }
        }));
    });
    PANICS.set(Some(Vec::new()));
}

/// Ends the collection and returns what there was.
pub(super) fn end_panics() -> Vec<String> {
    PANICS.take().unwrap_or_default()
}

/// Collects log lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Makes this thread's log flow here until the guard is dropped.
    pub(super) fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let ours = [("server", Level::INFO), ("scenarios", Level::INFO)];
        let told = Targets::new().with_default(Level::WARN).with_targets(ours);
        let lines = fmt::layer().with_writer(self.clone()).with_ansi(false).without_time();
        tracing::subscriber::set_default(registry().with(told).with(lines))
    }

    /// Returns the last lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].to_vec()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
