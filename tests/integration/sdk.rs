//! The official OpenAI SDKs for Python and Node as clients of the mock.
//!
//! Each runs once, as a process of its own that does all its tasks at the same time; the programs are in
//! `tests/sdk/`, `ci/setup-sdk` installs what they need. Each task has a mock of its own: the journal then tells
//! what that task sent, and no task meets the connections of another.

mod calls;
mod cells;
mod errors;
mod features;
mod program;

use std::{collections::BTreeMap, fmt, sync::OnceLock};

use mock_deepseek::Exchange;
use serde_json::Value;

/// The SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sdk {
    Python,
    Node,
}

/// What one task does, and what the mock does to it.
struct Task {
    name: String,
    /// The function of the program that does it.
    call: &'static str,
    /// The mock's script.
    script: String,
    /// What else the function wants to know.
    arguments: Value,
}

/// What a task saw, and what its mock saw.
struct Seen {
    saw: Value,
    exchanges: Vec<Exchange>,
}

/// All that an SDK saw, by the name of the task.
type Run = BTreeMap<String, Seen>;

/// Returns all that each SDK does.
fn tasks() -> Vec<Task> {
    let cases = [features::cases(), errors::cases()].into_iter().flatten().map(|case| case.task);
    cells::tasks().into_iter().chain(cases).collect()
}

impl fmt::Display for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Python => "openai-python",
            Self::Node => "openai-node",
        })
    }
}

impl Sdk {
    /// Returns what this SDK saw in all tasks, or says why it is not here and returns `None`.
    ///
    /// # Panics
    /// When `GAUNTLET_REQUIRE` demands it, or when its program fails.
    fn run(self) -> Option<&'static Run> {
        static RUNS: [OnceLock<Option<Run>>; 2] = [const { OnceLock::new() }; 2];
        RUNS[self as usize].get_or_init(|| program::run(self, &tasks())).as_ref()
    }
}
