//! What is shown while a run goes on: a bar on a terminal, and a line for whatever did not pass.
//!
//! It also remembers what has finished, so that an interrupted run can still be reported.

use std::{
    io::IsTerminal as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenarios::{
    report::terminal::{self, Screen},
    result::{Progress, Proof, ProofRow, ScenarioResult, Verdict},
};

use crate::output;

/// The live output of a run, on standard error.
#[derive(Debug)]
pub(crate) struct Live {
    bar: ProgressBar,
    screen: Screen,
    finished: Mutex<Finished>,
}

#[derive(Debug, Default)]
struct Finished {
    scenarios: Vec<ScenarioResult>,
    rows: Vec<ProofRow>,
}

impl Live {
    /// Makes it ready; nothing is shown yet.
    pub(crate) fn new(screen: Screen) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self { bar, screen, finished: Mutex::default() }
    }

    /// Shows what has just happened.
    pub(crate) fn show(&self, progress: Progress) {
        match progress {
            Progress::Began { total } => self.bar.set_length(total as u64),
            Progress::Started { id, twin: None } => self.bar.set_message(id),
            Progress::Started { id, twin: Some(twin) } => self.bar.set_message(format!("{id}, {twin}")),
            Progress::Finished { result, row: None } => {
                self.tell(result.verdict == Verdict::Pass, &terminal::line(&result, self.screen));
                // What is told again of a scenario takes the place of what was told before.
                let mut finished = self.finished();
                finished.scenarios.retain(|known| known.id != result.id);
                finished.scenarios.push(*result);
            }
            Progress::Finished { row: Some(row), .. } => {
                let killed = row.outcome == scenarios::result::ProofOutcome::Killed;
                self.tell(killed, &terminal::proof_line(&row, self.screen));
                self.finished().rows.push(row);
            }
        }
    }

    /// Moves the bar, and prints a line unless the news is good: the table at the end tells that.
    fn tell(&self, good: bool, line: &str) {
        self.bar.inc(1);
        match (good, std::io::stderr().is_terminal()) {
            (true, _) => {}
            (false, true) => self.bar.println(line),
            (false, false) => output::warn(line),
        }
    }

    /// Takes the bar away.
    pub(crate) fn close(&self) {
        self.bar.finish_and_clear();
    }

    /// Returns what has finished so far.
    pub(crate) fn known(&self) -> (Vec<ScenarioResult>, Option<Proof>) {
        let finished = self.finished();
        let rows = finished.rows.clone();
        (finished.scenarios.clone(), (!rows.is_empty()).then_some(Proof { rows }))
    }

    fn finished(&self) -> MutexGuard<'_, Finished> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
