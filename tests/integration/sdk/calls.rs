//! Calls whose result is known: a call of an SDK, the mock's script for it, and what the user must see.

use mock_deepseek::{ApiProfile, Exchange};
use serde_json::{Value, json};

use super::{Run, Sdk, Seen, Server, Task, program::TEXT};

/// A task and what must come of it.
pub(super) struct Case {
    pub(super) task: Task,
    python: Value,
    node: Value,
    /// How many requests the mock must have had.
    requests: usize,
    /// The only SDK that can do it, if one cannot.
    only: Option<Sdk>,
}

impl Case {
    /// A call, answered with the usual text and without thinking, that makes both SDKs see the same.
    pub(super) fn new(name: &str, call: &'static str, expected: Value) -> Self {
        let script = says("");
        let (name, server) = (name.to_owned(), Server::Mock(script));
        let task = Task { name, call, server, api: ApiProfile::Current, arguments: json!({}) };
        Self { task, python: expected.clone(), node: expected, requests: 1, only: None }
    }

    pub(super) fn script(mut self, script: impl Into<String>) -> Self {
        self.task.server = Server::Mock(script.into());
        self
    }

    /// Asks the API as it was in 2025.
    pub(super) fn in_2025(mut self) -> Self {
        self.task.api = ApiProfile::Y2025;
        self
    }

    pub(super) fn arguments(mut self, arguments: Value) -> Self {
        self.task.arguments = arguments;
        self
    }

    /// Sets what only the SDK for Node sees.
    pub(super) fn in_node(mut self, expected: Value) -> Self {
        self.node = expected;
        self
    }

    pub(super) fn requests(mut self, requests: usize) -> Self {
        self.requests = requests;
        self
    }

    /// Leaves it to one SDK.
    pub(super) fn only(mut self, sdk: Sdk) -> Self {
        self.only = Some(sdk);
        self
    }

    /// Says whether this SDK does it.
    pub(super) fn concerns(&self, sdk: Sdk) -> bool {
        self.only.is_none_or(|only| only == sdk)
    }

    /// Returns what is wrong, if something is.
    fn judge(&self, sdk: Sdk, run: &Run) -> Option<String> {
        let expected = if sdk == Sdk::Python { &self.python } else { &self.node };
        let name = &self.task.name;
        let Seen { saw, exchanges } = &run[name];
        let requests = exchanges.len();
        if saw != expected {
            return Some(format!("`{name}`\n  expected {expected}\n  and saw  {saw}"));
        }
        (requests != self.requests)
            .then(|| format!("`{name}` made {requests} requests, expected {}", self.requests))
    }
}

/// Writes a script that gives the usual text after this thinking.
pub(super) fn says(thinking: &str) -> String {
    format!("[default]\nreply = {{ text = \"{TEXT}\", thinking = \"{thinking}\" }}\n")
}

/// Checks the cases; where the SDK is not here, there is nothing to check.
pub(super) fn check(sdk: Sdk, cases: &[Case]) {
    let Some(run) = sdk.run() else { return };
    let is_wrong = |case: &&Case| case.concerns(sdk) && case.judge(sdk, run).is_some();
    let wrong: Vec<_> = cases.iter().filter(is_wrong).map(|case| case.task.clone()).collect();
    let second = sdk.run_again(&wrong);
    let doubted = cases.iter().filter(is_wrong);
    let wrong: Vec<_> = doubted.filter_map(|case| case.judge(sdk, &second)).collect();
    assert!(wrong.is_empty(), "{sdk}, {} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Returns what the mock saw in a case.
pub(super) fn exchanges(sdk: Sdk, name: &str) -> Option<&'static [Exchange]> {
    sdk.run().map(|run| run[name].exchanges.as_slice())
}
