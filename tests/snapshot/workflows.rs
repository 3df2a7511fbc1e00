//! The ready workflows for CI systems: their commands exist, and what they keep is written.

use std::{fs, process::Command};

use super::{readme, tree::sources};

/// Returns the workflow files: their paths and texts.
fn workflows() -> Vec<(String, String)> {
    let all = sources().into_iter().filter(|source| source.path.starts_with("docs/ci/"));
    all.map(|source| (source.path, source.text)).collect()
}

/// Returns what follows the program's name in the steps of a workflow.
fn calls(text: &str) -> Vec<String> {
    let steps = text.lines().map(|line| line.trim().trim_start_matches("- ").trim_start_matches("run: "));
    steps.filter_map(|step| step.strip_prefix("cargo run --release -- ").map(ToOwned::to_owned)).collect()
}

#[test]
fn every_command_of_a_workflow_exists_with_its_options_s16() {
    let workflows = workflows();

    assert_eq!(workflows.len(), 2, "one for GitHub, one for GitLab");
    for (file, text) in workflows {
        let calls = calls(&text);
        assert_eq!(calls.len(), 2, "{file} judges, and judges again");
        for call in calls {
            readme::exists(&file, &call);
        }
    }
}

#[test]
fn the_commands_of_a_workflow_do_what_it_relies_on_s16() {
    for (file, text) in workflows() {
        let folder = tempfile::tempdir().expect("a folder can be made");

        for call in calls(&text) {
            // The library as a whole is judged by `ci/check`; here one scenario stands for it.
            let call = call.replace("run --report", "run greeting_does_not_hide_an_emergency --report");
            let output = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
                .args(call.split_whitespace())
                .current_dir(folder.path())
                .output()
                .expect("it starts");
            assert_eq!(output.status.code(), Some(0), "{file}: {call}");
        }

        for kept in
            text.lines().filter_map(|line| line.trim().strip_prefix("junit: ")).chain(["gauntlet-report"])
        {
            assert!(fs::exists(folder.path().join(kept)).unwrap_or(false), "{file} keeps `{kept}`");
        }
        assert!(
            text.contains("gauntlet-report") && text.contains("always"),
            "{file} keeps the report of a failure"
        );
    }
}
