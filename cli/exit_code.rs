//! How the program ends, for scripts.

use std::process;

#[cfg(feature = "lab")]
use scenarios::result::{ProofOutcome, Run, Verdict};

/// The exit codes. Over many scenarios the worst verdict decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// All expectations held, or the command did what was asked.
    Held = 0,
    /// An expectation or an invariant broke, or a sabotage was not caught.
    #[cfg(feature = "lab")]
    Failed = 1,
    /// Wrong usage, or a file that is not valid.
    Usage = 2,
    /// Nothing was shown: no steady state, a fault that never fired, or every scenario was skipped.
    #[cfg(feature = "lab")]
    Inconclusive = 3,
    /// The harness or its environment broke: target unreachable, port taken.
    Broken = 4,
    /// Stopped by a signal before the end.
    Interrupted = 130,
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(feature = "lab")]
impl ExitCode {
    /// Returns the code for a run that came to its end.
    pub(crate) fn of(run: &Run) -> Self {
        let proof = run.proof.as_ref().map_or(Verdict::Pass, |proof| {
            proof.rows.iter().map(|row| verdict(row.outcome)).max().unwrap_or(Verdict::Inconclusive)
        });
        match run.verdict().max(proof) {
            Verdict::Pass | Verdict::Skipped if shown(run) => Self::Held,
            Verdict::Pass | Verdict::Skipped | Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Fail => Self::Failed,
            Verdict::Error => Self::Broken,
        }
    }
}

/// Returns whether anything held at all: a run of skipped scenarios shows nothing.
#[cfg(feature = "lab")]
fn shown(run: &Run) -> bool {
    run.count(Verdict::Pass) > 0 || run.proof.as_ref().is_some_and(|proof| !proof.rows.is_empty())
}

#[cfg(feature = "lab")]
const fn verdict(outcome: ProofOutcome) -> Verdict {
    match outcome {
        ProofOutcome::Killed => Verdict::Pass,
        ProofOutcome::Survived | ProofOutcome::WrongReason => Verdict::Fail,
        // The verdict of the sound run says it.
        ProofOutcome::NotSound => Verdict::Inconclusive,
        ProofOutcome::Broken => Verdict::Error,
    }
}

#[cfg(all(test, feature = "lab"))]
mod tests {
    use scenarios::result::{Proof, ProofRow, ScenarioResult};

    use super::*;

    fn run(verdicts: &[Verdict], outcomes: &[ProofOutcome]) -> Run {
        let rows: Vec<ProofRow> = outcomes.iter().map(|outcome| row(*outcome)).collect();
        Run {
            schema_version: scenarios::result::SCHEMA_VERSION,
            tool: String::new(),
            command: String::new(),
            seed: 0,
            target: String::new(),
            settings: std::collections::BTreeMap::new(),
            started_at: String::new(),
            elapsed_ms: 0,
            planned: 0,
            unjudged: Vec::new(),
            scenarios: verdicts.iter().map(|verdict| result(*verdict)).collect(),
            proof: (!rows.is_empty()).then_some(Proof { rows }),
        }
    }

    fn result(verdict: Verdict) -> ScenarioResult {
        ScenarioResult {
            id: String::new(),
            name: String::new(),
            file: String::new(),
            gap: None,
            features: Vec::new(),
            tags: Vec::new(),
            hypothesis: String::new(),
            story: Vec::new(),
            verdict,
            reason: String::new(),
            checks: Vec::new(),
            faults: Vec::new(),
            settings: std::collections::BTreeMap::new(),
            clock_us: 0,
            real_us: 0,
            transcript: Vec::new(),
            log: Vec::new(),
            reproduce: String::new(),
        }
    }

    fn row(outcome: ProofOutcome) -> ProofRow {
        ProofRow {
            scenario: String::new(),
            sabotage: String::new(),
            caught_by: String::new(),
            broken: Vec::new(),
            outcome,
            reason: String::new(),
        }
    }

    #[test]
    fn the_worst_verdict_wins() {
        use Verdict::{Error, Fail, Inconclusive, Pass, Skipped};

        assert_eq!(ExitCode::of(&run(&[Pass, Skipped], &[])), ExitCode::Held);
        assert_eq!(ExitCode::of(&run(&[Pass, Inconclusive], &[])), ExitCode::Inconclusive);
        assert_eq!(ExitCode::of(&run(&[Inconclusive, Fail, Pass], &[])), ExitCode::Failed);
        assert_eq!(ExitCode::of(&run(&[Fail, Error], &[])), ExitCode::Broken);
    }

    #[test]
    fn a_run_in_which_nothing_held_shows_nothing() {
        assert_eq!(ExitCode::of(&run(&[Verdict::Skipped], &[])), ExitCode::Inconclusive);
        assert_eq!(ExitCode::of(&run(&[], &[])), ExitCode::Inconclusive);
    }

    #[test]
    fn a_sabotage_that_was_not_caught_fails_the_run() {
        use ProofOutcome::{Broken, Killed, Survived, WrongReason};

        assert_eq!(ExitCode::of(&run(&[Verdict::Pass], &[Killed])), ExitCode::Held);
        assert_eq!(ExitCode::of(&run(&[Verdict::Pass], &[Killed, Survived])), ExitCode::Failed);
        assert_eq!(ExitCode::of(&run(&[Verdict::Pass], &[WrongReason])), ExitCode::Failed);
        assert_eq!(ExitCode::of(&run(&[Verdict::Pass], &[Broken, Survived])), ExitCode::Broken);
    }
}
