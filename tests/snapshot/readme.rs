//! The commands in the documents exist, with the options that are shown. `ci/readme` runs the walk-through.

use std::process::Command;

use super::tree::sources;

/// Returns the lines in `sh` blocks of all documents that call `gauntlet`, continued lines joined.
fn commands() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| source.path.ends_with(".md")) {
        let mut inside = false;
        for line in source.text.replace("\\\n", " ").lines() {
            if line.starts_with("```") {
                inside = line == "```sh";
            } else if inside && let Some(call) = call(line) {
                found.push((source.path.clone(), call));
            }
        }
    }
    found
}

/// Returns what follows the program's name, if the line calls it.
fn call(line: &str) -> Option<String> {
    let (before, after) =
        line.split_once("gauntlet ").or_else(|| line.split_once("cargo run --release -- "))?;
    let called = before.split_whitespace().all(|word| word.contains('=') || word == "export");
    called.then(|| after.trim_end_matches('&').trim().to_owned())
}

/// Returns the help of a command and, where the next word names a command within it, that of this one.
fn help_for(command: &str, next: &str) -> String {
    let own = help(&[command]);
    let within = own.lines().any(|line| line.trim_start().split(' ').next() == Some(next));
    if within && !next.starts_with('-') && !next.is_empty() { own + &help(&[command, next]) } else { own }
}

fn help(command: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(command).arg("--help").output().expect("it starts");
    assert!(output.status.success(), "there is no command `{}`", command.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Fails unless a file shows a command that exists, with options that it has.
pub(super) fn exists(file: &str, call: &str) {
    let mut words = call.split_whitespace().peekable();
    let command = words.next().unwrap_or_default();
    let help = help_for(command, words.peek().copied().unwrap_or_default());
    for option in words.filter(|word| word.starts_with("--")) {
        assert!(help.contains(option), "{file} shows `gauntlet {call}`, but there is no `{option}`");
    }
}

#[test]
fn every_command_in_the_documents_exists_with_its_options() {
    let commands = commands();

    assert!(commands.len() >= 6, "only {} commands were found", commands.len());
    for (file, call) in commands {
        exists(&file, &call);
    }
}

#[test]
fn the_two_commands_of_the_project_stand_in_the_readme() {
    let readme =
        sources().into_iter().find(|source| source.path == "README.md").expect("there is a README").text;

    for command in ["\ncargo run --release\n", "\ncargo test\n"] {
        assert!(readme.contains(command), "{command:?} is missing");
    }
}
