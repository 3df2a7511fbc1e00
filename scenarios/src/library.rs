//! The scenarios that come with the program, one file each in `library/` and its folders.

use crate::{
    model::Scenario,
    parse::{ParseError, parse},
};

/// Paths below `library/` and texts, in alphabetical order.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// The scenario that must be red.
const CANARY: &str = include_str!("../canary.toml");

/// Reads the scenario that must fail wherever it is run.
pub(crate) fn canary() -> Result<Scenario, Box<ParseError>> {
    parse("canary.toml", CANARY)
}

/// Reads the built-in scenarios, testing gaps first, then by id.
pub fn library() -> Result<Vec<Scenario>, Box<ParseError>> {
    let mut scenarios: Vec<_> =
        FILES.iter().map(|(name, text)| parse(&format!("library/{name}"), text)).collect::<Result<_, _>>()?;
    scenarios.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(scenarios)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_valid_and_the_seven_gaps_come_first() {
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
    fn no_two_scenarios_are_the_same_experiment() {
        let essence = |scenario: &Scenario| {
            let file = &scenario.tables;
            format!("{:?} {:?} {:?} {:?}", file.llm, file.steps, file.expect, file.sabotage)
        };
        let scenarios = library().unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)));

        let different: BTreeSet<_> = scenarios.iter().map(essence).collect();

        assert_eq!(different.len(), scenarios.len());
    }

    #[test]
    fn the_canary_is_valid() {
        assert!(canary().is_ok());
    }
}
