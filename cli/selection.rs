//! Which scenarios are meant: ids, tags and feature rows of the library, or files of one's own.

use std::{fs, path::Path};

use scenarios::{Scenario, Target, parse, parse::nearest};

use crate::failure::Failure;

/// Returns the scenarios for a target that `words` name, each once, in the order of the library, then files; all of
/// the library if there is no word.
pub(crate) fn select(words: &[String], target: &Target) -> Result<Vec<Scenario>, Failure> {
    let library = target.library().map_err(|error| Failure::invalid(*error))?;
    let (files, names): (Vec<_>, Vec<_>) = words.iter().partition(|word| is_file(word));
    for name in &names {
        if !library.iter().any(|scenario| scenario.is_called(name)) {
            return Err(Failure::usage(unknown(name, &library)));
        }
    }
    let mut chosen: Vec<_> = library
        .into_iter()
        .filter(|scenario| words.is_empty() || names.iter().any(|name| scenario.is_called(name)))
        .collect();
    for file in files {
        let scenario = read(file)?;
        if chosen.iter().any(|other: &Scenario| other.id == scenario.id) {
            let hint = "the name of a file is the name of its scenario; rename it";
            return Err(Failure::usage(format!("there are two scenarios `{}`\n  hint: {hint}", scenario.id)));
        }
        chosen.push(scenario);
    }
    Ok(chosen)
}

fn is_file(word: &str) -> bool {
    Path::new(word).extension().is_some_and(|extension| extension == "toml")
}

/// Reads a scenario file.
pub(crate) fn read(file: &str) -> Result<Scenario, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format_args!("cannot read the scenario `{file}`: {error}")))?;
    parse(file, &text).map_err(|error| Failure::invalid(*error))
}

fn unknown(word: &str, library: &[Scenario]) -> String {
    let ids = library.iter().map(|scenario| scenario.id.as_str());
    let groups =
        library.iter().flat_map(|scenario| scenario.tables.tags.iter().chain(&scenario.tables.features));
    let part_of = ids.clone().find(|id| id.contains(word));
    let hint = match part_of.or_else(|| nearest(word, ids.chain(groups.map(String::as_str)))) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`gauntlet list` shows them; a file of your own ends in `.toml`".to_owned(),
    };
    format!("no scenario, tag or feature `{word}`\n  hint: {hint}")
}
