//! Sabotages: each takes something away that exists, and names the check that must break.

use std::collections::BTreeSet;

use super::{Checked, Place, Problem, at, known_in, wrong};
use crate::{model::Scenario, target};

/// Tags of scenarios that need no sabotage: the one that must be red, and what a search has found on the sound server.
const UNPROVED: [&str; 2] = ["canary", "found"];

pub(super) fn check(scenario: &Scenario, checks: &BTreeSet<&str>) -> Checked {
    let file = &scenario.tables;
    // What the built-in server cannot be asked cannot be proved on it either.
    let is_foreign = file.needs.iter().any(|need| target::IMPLIED.contains(&need.as_str()));
    if file.sabotage.is_empty()
        && !is_foreign
        && !file.tags.iter().any(|tag| UNPROVED.contains(&tag.as_str()))
    {
        return wrong(
            "scenario has no sabotage, so nothing shows that it can fail".to_owned(),
            "add a `[[sabotage]]` with the protection that it proves".to_owned(),
        );
    }
    settings(&[&file.settings])?;
    for sabotage in &file.sabotage {
        settings(&[&file.settings, &sabotage.settings])?;
        known_in("check", &sabotage.caught_by, checks.iter().copied())?;
        match &sabotage.part {
            Some(part) => known_in("part", part, target::parts())?,
            None if sabotage.settings.is_empty() => {
                return at(
                    &sabotage.caught_by,
                    format!("sabotage `{}` weakens nothing", sabotage.name),
                    "give it `settings` or a `part`",
                );
            }
            None => {}
        }
    }
    Ok(())
}

/// The settings must make a valid configuration of the built-in server.
fn settings(tables: &[&toml::Table]) -> Checked {
    target::check_settings(tables).map_err(|message| Problem {
        place: Place::Word("settings".to_owned()),
        message,
        help: Some("`gauntlet config reference` shows the settings".to_owned()),
    })
}
