//! The catalogue of faults as people meet it: the page in the documents, the command line, its size.

use std::process::Command;

use super::tree::root;

/// Each row of the field reports has at least one fault.
const FAULTS_MIN: usize = 85;

/// Runs `gauntlet faults` and returns the exit code, standard output and standard error.
fn faults(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .arg("faults")
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_page_of_faults_is_that_of_the_files_m6() {
    let written = std::fs::read_to_string(root().join("docs/FAULTS.md")).unwrap_or_default();

    assert!(
        written == mock_deepseek::catalogue_page(),
        "docs/FAULTS.md is not what the fault files say; write it anew with `cargo run -- faults page > docs/FAULTS.md`"
    );
}

#[test]
fn the_command_prints_the_page() {
    let (code, page, _) = faults(&["page"]);

    assert_eq!(code, Some(0));
    assert!(page == mock_deepseek::catalogue_page());
}

#[test]
fn every_row_of_the_field_reports_is_there_with_a_source_m4() {
    let count = mock_deepseek::catalogue().iter().count();

    assert!(count >= FAULTS_MIN, "only {count} faults");
    for info in mock_deepseek::catalogue().iter() {
        assert!(info.sources().all(|source| !source.text.trim().is_empty()), "{}", info.id);
        assert!(info.sources().next().is_some(), "{} has no source", info.id);
    }
}

#[test]
fn a_fault_is_explained_with_its_bytes_m6() {
    let (code, text, _) = faults(&["show", "stale-keepalive-reuse"]);

    assert_eq!(code, Some(0));
    insta::assert_snapshot!(text);
}

#[test]
fn a_fault_before_the_answer_is_explained_without_a_byte_m6() {
    let (_, text, _) = faults(&["show", "accept-no-answer"]);

    insta::assert_snapshot!(text);
}

#[test]
fn faults_are_listed_by_layer_with_place_and_kind() {
    let (code, text, _) = faults(&["list", "--layer", "sse", "--kind", "failure"]);

    assert_eq!(code, Some(0));
    insta::assert_snapshot!(text);
}

#[test]
fn the_list_ends_with_a_count() {
    let (_, text, _) = faults(&[]);

    let count = mock_deepseek::catalogue().iter().count();
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), count);
    assert!(
        text.lines().last().expect("there is a line").starts_with(&format!("{count} faults, ")),
        "{text}"
    );
}

#[test]
fn an_unknown_fault_or_layer_is_answered_with_the_nearest() {
    let (code, _, fault) = faults(&["show", "stal-mid-reasoning"]);
    let (usage, _, layer) = faults(&["list", "--layer", "jsn"]);

    assert_eq!((code, usage), (Some(2), Some(2)));
    assert!(fault.contains("did you mean `stall-mid-reasoning`"), "{fault}");
    assert!(layer.contains("did you mean `json`"), "{layer}");
}
