//! `gauntlet new`: a scenario to start from, which holds and can be proved as it stands.

use std::{fs, path::PathBuf};

use clap::Args;

use crate::{exit_code::ExitCode, failure::Failure, output};

/// What the scenario is called, and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the scenario, in words with underscores: it becomes the name of its file
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// Folder to write it to
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

fn name(text: &str) -> Result<String, String> {
    let text = text.strip_suffix(".toml").unwrap_or(text);
    let fine = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !text.is_empty() && text.chars().all(fine) {
        Ok(text.to_owned())
    } else {
        Err("write small letters, digits and underscores, such as `second_answer_is_shorter`".to_owned())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.folder.join(&arguments.name).with_extension("toml");
    let shown = path.display();
    if path.exists() {
        return Err(Failure::usage(format!("`{shown}` is there already\n  hint: choose another name")));
    }
    let text = TEMPLATE.replace("{name}", &arguments.name.replace('_', " "));
    fs::write(&path, text).map_err(|error| {
        Failure::environment(anyhow::Error::new(error).context(format!("cannot write `{shown}`")))
    })?;
    output::print(&format!(
        "wrote `{shown}`; it holds as it stands:\n\
         \x20 gauntlet run {shown}      judges it\n\
         \x20 gauntlet prove {shown}    shows that it can fail\n\
         docs/SCENARIOS.md teaches the rest; `gauntlet schema` helps an editor\n"
    ));
    Ok(ExitCode::Held)
}

/// Holds on the built-in target, and is caught out under its sabotage.
const TEMPLATE: &str = r#"schema = 1
# The fact that the scenario proves, as a sentence.
name = "{name}"
# Why it should hold.
hypothesis = "A model that falls silent is given up in time, and the user is told."
tags = ["mine"]
# What the target must be able to do: facts, reminders, conversations, safety, kinds, metrics, virtual-time, …
needs = ["kinds"]

# What the model does: a script of the mock, docs/SCRIPT.md. `gauntlet faults list` shows what can go wrong.
[[llm.rules]]
match = { contains = "silent" }
reply = { thinking = "", pieces = ["Half ", "of ", "an ", "answer."] }
faults = [{ id = "stall", after_events = 3 }]

[[users]]
name = "ana"

# What is done, in order.
[[steps]]
connect = { device = "ana.phone" }

[[steps]]
send = { device = "ana.phone", text = "Please fall silent.", mark = "asked" }

[[steps]]
await = { frame = { device = "ana.phone", type = "done" } }

# What must be seen: `never`, `sometimes`, `eventually`, `always`. Times are told by setting, so that it fits any target.
[[expect]]
id = "the user is told in time"
eventually = { on = { frame = { device = "ana.phone", type = "done" } }, after = "asked", within = "llm.gap + 1s" }

# Something is taken away; the check that is named must then break.
[[sabotage]]
name = "nobody minds the gap"
settings = { llm.gap = "25s" }
caught_by = "the user is told in time"
"#;

#[cfg(test)]
mod tests {
    use scenarios::{Options, prove, result::ProofOutcome};

    use super::*;

    #[test]
    fn a_new_scenario_holds_and_can_fail_s1() {
        let scenario = scenarios::parse("new.toml", &TEMPLATE.replace("{name}", "it holds")).unwrap();

        let run = prove(&[scenario], &Options::default(), &|_| {});

        let rows = run.proof.unwrap().rows;
        assert!(rows.iter().all(|row| row.outcome == ProofOutcome::Killed), "{rows:?}");
    }

    #[test]
    fn a_name_is_made_of_small_letters_s1() {
        assert_eq!(name("a_b1.toml").as_deref(), Ok("a_b1"));
        assert!(name("A b").is_err() && name("").is_err() && name("../x").is_err());
    }
}
