//! The scenarios that come with the program, one file each: in `library/` and its folders those about a chat with
//! memory, in `processes/` those that kill and pause its process, in `completions/` those about chat completions.

use crate::{
    model::Scenario,
    parse::{ParseError, parse},
};

/// Paths below `library/` and texts, in alphabetical order.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The same of `completions/`.
const COMPLETIONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/completions.rs"));

/// The same of `processes/`.
const PROCESSES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/processes.rs"));

/// The scenario that must be red.
const CANARY: &str = include_str!("../canary.toml");

/// Says whether a scenario of this file comes with the program.
pub(crate) fn is_ours(file: &str) -> bool {
    ["library/", "completions/", "processes/"].iter().any(|folder| file.starts_with(folder))
}

/// Reads the scenario that must fail wherever it is run.
pub(crate) fn canary() -> Result<Scenario, Box<ParseError>> {
    parse("canary.toml", CANARY)
}

/// Reads the built-in scenarios about a chat with memory, testing gaps first, then by id.
pub fn library() -> Result<Vec<Scenario>, Box<ParseError>> {
    let mut scenarios = read("library", FILES)?;
    scenarios.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(scenarios)
}

/// Reads the built-in scenarios about chat completions, by id.
pub fn completions() -> Result<Vec<Scenario>, Box<ParseError>> {
    read("completions", COMPLETIONS)
}

/// Reads the built-in scenarios that do something to the target's process, by id.
pub fn processes() -> Result<Vec<Scenario>, Box<ParseError>> {
    read("processes", PROCESSES)
}

fn read(folder: &str, files: &[(&str, &str)]) -> Result<Vec<Scenario>, Box<ParseError>> {
    files.iter().map(|(name, text)| parse(&format!("{folder}/{name}"), text)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_valid_and_the_seven_gaps_come_first_s2() {
        let scenarios = library().unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));

        let gaps: Vec<_> = scenarios.iter().filter_map(|scenario| scenario.tables.gap).collect();

        assert_eq!(gaps, [1, 2, 3, 4, 5, 6, 7]);
        assert!(scenarios[..7].iter().all(|scenario| scenario.tables.gap.is_some()));
    }

    #[test]
    fn no_two_files_share_a_name() {
        let scenarios = library().unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));

        let ids: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.id).collect();

        assert_eq!(ids.len(), scenarios.len(), "the id is the stem, whatever the folder");
    }

    #[test]
    fn no_two_scenarios_are_the_same_experiment_s3() {
        let essence = |scenario: &Scenario| {
            let file = &scenario.tables;
            format!("{:?} {:?} {:?} {:?}", file.llm, file.steps, file.expect, file.sabotage)
        };
        let scenarios = library().unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));

        let different: BTreeSet<_> = scenarios.iter().map(essence).collect();

        assert_eq!(different.len(), scenarios.len());
    }

    /// What a chat that asks for a stream over HTTP/1.1 and without TLS never meets.
    const NOT_MET: [&str; 10] = [
        // Before there is a connection: a rule of the model answers requests.
        "connect-refused",
        "connect-timeout",
        "dns-failure",
        // Answers to requests that ask for no stream.
        "early-headers-late-body",
        "sse-for-json",
        "sse-type-on-json",
        "http2-goaway",
        "http2-rst-stream",
        "tls-close-without-notify",
        "tls-handshake-stall",
    ];

    #[test]
    fn each_fault_of_the_catalogue_that_a_chat_can_meet_has_a_scenario_s3() {
        let scenarios = library().unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));
        let met: BTreeSet<_> =
            scenarios.iter().flat_map(|scenario| crate::run::planned_faults(&scenario.tables)).collect();

        let ids = mock_deepseek::catalogue().iter().map(|fault| fault.id.to_owned());
        let unmet: BTreeSet<_> = ids.filter(|id| !met.contains(id)).collect();

        assert_eq!(unmet, NOT_MET.map(str::to_owned).into());
        assert!(scenarios.len() >= 150);
    }

    #[test]
    fn scenarios_that_the_built_in_target_cannot_do_say_what_they_need_s5_s6() {
        for (need, scenarios) in [("completions", completions()), ("process", processes())] {
            let scenarios = scenarios.unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));

            assert!(!scenarios.is_empty());
            for scenario in scenarios {
                assert!(scenario.tables.needs.iter().any(|word| word == need), "{}", scenario.id);
            }
        }
    }

    #[test]
    fn the_canary_is_valid() {
        assert!(canary().is_ok());
    }
}
