//! The binary from outside: what it prints, what it writes, how it ends.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs gauntlet in `folder`, without a terminal.
fn gauntlet(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(arguments).current_dir(folder).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_scenario_that_holds_ends_with_zero_and_leaves_every_report() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let output = gauntlet(folder.path(), &["run", "greeting_does_not_hide_an_emergency"]);

    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let report = folder.path().join("target/gauntlet/report");
    for file in ["run.json", "junit.xml", "summary.md", "index.html"] {
        assert!(report.join(file).is_file(), "`{file}` is missing");
    }
}

#[test]
fn the_canary_is_red_in_exit_code_and_report_s10() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let canary = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/canary.toml");

    let output = gauntlet(folder.path(), &["run", canary, "--report", "."]);

    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(
        fs::read_to_string(folder.path().join("junit.xml")).expect("there is a report").contains("<failure")
    );
}

#[test]
fn without_a_terminal_there_is_no_escape_sequence() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let output = gauntlet(folder.path(), &["run", "greeting_does_not_hide_an_emergency", "--report", "."]);

    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn the_seven_gaps_head_the_list() {
    let output = gauntlet(Path::new("."), &["list"]);

    let text = out(&output);
    for (line, number) in text.lines().zip(1..=7) {
        assert!(line.contains(&format!("gap {number}")), "{line}");
    }
}

#[test]
fn the_schema_of_a_run_is_json() {
    let output = gauntlet(Path::new("."), &["schema", "--of", "run"]);

    let schema: serde_json::Value = serde_json::from_str(&out(&output)).expect("it is JSON");
    assert_eq!(schema["title"], "Run");
}
