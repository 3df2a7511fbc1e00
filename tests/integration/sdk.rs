//! The official OpenAI SDKs for Python and Node as clients of the mock.
//!
//! Each runs once, as a process of its own that does all its tasks at the same time; the programs are in
//! `tests/sdk/`, `ci/setup-sdk` installs what they need. Each task has a mock of its own: the journal then tells
//! what that task sent, and no task meets the connections of another.

mod calls;
mod cells;
mod errors;
mod features;
mod modes;
mod program;
mod surfaces;

use std::{collections::BTreeMap, fmt, sync::OnceLock};

use mock_deepseek::{ApiProfile, Exchange, Fault};
use serde_json::Value;

/// The SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sdk {
    Python,
    Node,
}

/// What one task does, and what the mock does to it.
#[derive(Clone)]
struct Task {
    name: String,
    /// The function of the program that does it.
    call: &'static str,
    /// What it talks to.
    server: Server,
    /// How old the API is there.
    api: ApiProfile,
    /// What else the function wants to know.
    arguments: Value,
}

/// What a task talks to.
#[derive(Clone)]
enum Server {
    /// A mock with this script.
    Mock(String),
    /// The same under TLS.
    Secure(String),
    /// The dead end of this fault.
    DeadEnd(Fault),
}

/// What a task saw, and what its mock saw.
struct Seen {
    saw: Value,
    exchanges: Vec<Exchange>,
}

/// All that an SDK saw, by the name of the task.
type Run = BTreeMap<String, Seen>;

/// Returns all that an SDK does.
fn tasks(sdk: Sdk) -> Vec<Task> {
    let cases = [features::cases(), errors::cases(), modes::cases(), surfaces::cases()];
    let cases = cases.into_iter().flatten().filter(|case| case.concerns(sdk)).map(|case| case.task);
    cases.chain(cells::tasks()).collect()
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
        RUNS[self as usize].get_or_init(|| program::run(self, &tasks(self))).as_ref()
    }

    /// Returns what this SDK sees in these tasks now. They are few, so that nothing is late but for a reason: on a
    /// machine that does much else, the crowd of the first run makes some answers come after a time-out.
    fn run_again(self, tasks: &[Task]) -> Run {
        if tasks.is_empty() { Run::new() } else { program::run(self, tasks).unwrap_or_default() }
    }
}
