//! What a back end that was started here writes: its last lines.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// The most lines that are kept; the oldest go first.
const LINES_MAX: usize = 1000;
/// A longer line is kept in pieces of so many bytes.
const LINE_MAX: usize = 2000;

/// The most panics that are kept; the first stay.
const PANICS_MAX: usize = 20;

/// What runtimes write when a part of a program has ended that should not have: Rust; Go, also where a handler of
/// `net/http` is saved; the JVM; Node; Python's asyncio and its ASGI servers.
const PANICS: [&str; 8] = [
    "panicked at ",
    "panic: ",
    ": panic serving ",
    "Exception in thread ",
    "UnhandledPromiseRejection",
    "Uncaught Exception",
    "Task exception was never retrieved",
    "Exception in ASGI application",
];

/// The last lines that it wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    /// How many were written, also those that are no longer kept.
    written: usize,
    /// Those that tell of a panic, each with its number: they must not scroll away.
    panics: Vec<(usize, String)>,
}

impl Log {
    /// Keeps the lines of a stream until it ends.
    pub(super) async fn follow(self, stream: Option<impl AsyncRead + Unpin + Send + 'static>) {
        let Some(stream) = stream else { return };
        let (mut stream, mut line) = (BufReader::new(stream), Vec::new());
        while let Ok(read @ 1..) = (&mut stream).take(LINE_MAX as u64).read_until(b'\n', &mut line).await {
            if line.ends_with(b"\n") || read == LINE_MAX {
                self.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        }
        if !line.is_empty() {
            self.push(String::from_utf8_lossy(&line).into_owned());
        }
    }

    /// Returns how many lines were written so far.
    pub(super) fn written(&self) -> usize {
        self.kept().written
    }

    /// Returns those of the kept lines that were written after so many.
    pub(super) fn since(&self, written: usize) -> Vec<String> {
        let kept = self.kept();
        let gone = kept.written - kept.lines.len();
        kept.lines.iter().skip(written.saturating_sub(gone)).cloned().collect()
    }

    /// Returns the panics that were written of after so many lines.
    pub(super) fn panics_since(&self, written: usize) -> Vec<String> {
        let kept = self.kept();
        let since = kept.panics.iter().filter(|(number, _)| *number >= written);
        since.map(|(_, line)| line.clone()).collect()
    }

    fn push(&self, line: String) {
        let mut kept = self.kept();
        if kept.lines.len() == LINES_MAX {
            kept.lines.pop_front();
        }
        if PANICS.iter().any(|mark| line.contains(mark)) && kept.panics.len() < PANICS_MAX {
            let number = kept.written;
            kept.panics.push((number, line.clone()));
        }
        kept.lines.push_back(line);
        kept.written += 1;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_lines_of_one_scenario_are_those_since_it_began_s6() {
        let log = Log::default();
        log.clone().follow(Some(&b"one\ntwo\n"[..])).await;
        let written = log.written();

        log.clone().follow(Some(&b"three"[..])).await;

        assert_eq!(log.since(written), ["three"]);
        assert_eq!(log.since(0), ["one", "two", "three"]);
        for _ in 0..LINES_MAX {
            log.push("four".to_owned());
        }
        assert_eq!((log.since(written).len(), log.since(log.written()).len()), (LINES_MAX, 0));
    }

    #[test]
    fn a_panic_does_not_scroll_away_s9() {
        let log = Log::default();
        for line in [
            "no panic here",
            "thread 'main' panicked at src/main.rs:1:1:",
            "panic: runtime error: index out of range",
            "2026/01/01 http: panic serving 127.0.0.1:1: boom",
            "Exception in thread \"main\" java.lang.NullPointerException",
        ] {
            log.push(line.to_owned());
        }
        for _ in 0..LINES_MAX {
            log.push("a request".to_owned());
        }

        assert_eq!(log.panics_since(0).len(), 4);
        assert_eq!(log.panics_since(3).len(), 2);
    }
}
