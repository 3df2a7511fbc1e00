//! Examples in documents: they are run, so that they are right.

use scenarios::{Options, Scenario, prove, result::ProofOutcome};

const SCENARIOS: &str = include_str!("../../docs/SCENARIOS.md");

/// Returns the scenarios that stand in a document.
fn examples(document: &str) -> Vec<Scenario> {
    let blocks = document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let whole = blocks.filter(|block| block.starts_with("schema = 1"));
    let read = |(n, text): (usize, &str)| {
        scenarios::parse(&format!("example_{n}.toml"), text)
            .unwrap_or_else(|error| panic!("example {n}: {error}"))
    };
    whole.enumerate().map(read).collect()
}

#[test]
fn the_examples_that_teach_scenarios_hold_and_can_fail_s1() {
    let examples = examples(SCENARIOS);

    let run = prove(&examples, &Options::default(), &|_| {});

    assert_eq!(examples.len(), 3);
    let rows = run.proof.expect("it was to be proved").rows;
    assert_eq!(rows.len(), 4, "three, and the canary");
    for row in rows {
        assert_eq!(row.outcome, ProofOutcome::Killed, "{}: {} {}", row.scenario, row.sabotage, row.reason);
    }
}
