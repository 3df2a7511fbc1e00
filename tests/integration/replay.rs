//! Evidence that was kept is judged again, and what was changed in it is found.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use tempfile::TempDir;

const CANARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/canary.toml");
const NAMES: [&str; 3] = [
    "silent_model_ends_at_the_first_token_limit",
    "total_outage_is_not_multiplied",
    "later_week_replaces_the_earlier",
];

/// Runs gauntlet; returns its exit code and all that it printed.
fn gauntlet(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code(), text.concat())
}

/// Runs some scenarios, one of which must fail, and returns the folder of their report.
fn report() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["run"], &NAMES[..], &[CANARY, "--report", folder.path().to_str().unwrap()]].concat();
    let (code, text) = gauntlet(&arguments);
    assert_eq!(code, Some(1), "{text}");
    folder
}

fn replay(folder: &TempDir, changed: &[&str]) -> (Option<i32>, String) {
    gauntlet(&[&["replay", folder.path().to_str().unwrap()], changed].concat())
}

fn evidence(folder: &TempDir, id: &str) -> PathBuf {
    folder.path().join(format!("evidence/{id}.json"))
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

#[test]
fn kept_evidence_is_judged_as_before_s12() {
    let folder = report();

    let (code, text) = replay(&folder, &[]);

    assert_eq!(code, Some(0), "{text}");
    insta::assert_snapshot!(text, @r"
    same         pass          later_week_replaces_the_earlier
    same         pass          silent_model_ends_at_the_first_token_limit
    same         pass          total_outage_is_not_multiplied
    same         fail          canary

    4 judged as before, 0 otherwise, 0 without evidence
    ");
}

#[test]
fn an_event_that_was_changed_is_found_s12() {
    let folder = report();
    edit(&evidence(&folder, "canary"), |kept| {
        let events = kept["seen"]["events"].as_array_mut().unwrap();
        let end = events.iter_mut().find(|event| event["what"]["frame"]["json"]["type"] == "done").unwrap();
        end["what"]["frame"]["json"] = json!({"type": "error", "code": "invented"});
    });

    let (code, text) = replay(&folder, &[]);

    assert_eq!(code, Some(1), "{text}");
    insta::assert_snapshot!(text, @r"
    same         pass          later_week_replaces_the_earlier
    same         pass          silent_model_ends_at_the_first_token_limit
    same         pass          total_outage_is_not_multiplied
    differs      fail          canary
      verdict
        then  fail
        now   pass
      check `nobody answers`
        then  broken: wanted none (the end of a turn for ana’s phone), seen 1: ana.phone done answered
        now   held: wanted none (the end of a turn for ana’s phone), seen 0
      check `no frame of another user`
        then  held: wanted ids in frames belong to one user, seen 2 ids of 1 users
        now   held: wanted ids in frames belong to one user, seen 1 ids of 1 users
      line 31 of the transcript
        then  at 0µs ana.phone done answered
        now   at 0µs ana.phone error invented

    3 judged as before, 1 otherwise, 0 without evidence
    ");
}

#[test]
fn a_changed_expectation_is_judged_by_what_was_seen_s12() {
    let folder = report();
    let changed = folder.path().join("canary.toml");
    let text = fs::read_to_string(CANARY).unwrap().replace("never = { on", "sometimes = { exactly = 1, on");
    fs::write(&changed, text).unwrap();

    let (code, text) = replay(&folder, &[changed.to_str().unwrap()]);

    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("then  fail\n    now   pass"), "{text}");
    assert!(text.contains("3 judged as before, 1 otherwise"), "{text}");
}

#[test]
fn evidence_of_another_version_is_refused_in_words_s12() {
    let folder = report();
    edit(&evidence(&folder, "canary"), |kept| kept["schema_version"] = json!(99));

    let (code, text) = replay(&folder, &[]);

    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("has version 99 of the format, this program reads 1; run the scenario again"),
        "{text}"
    );
}

#[test]
fn evidence_that_is_none_is_named_with_its_place_s12() {
    let folder = report();
    edit(&evidence(&folder, "canary"), |kept| kept["seen"]["events"][0]["what"] = json!({"flew": 1}));

    let (code, text) = replay(&folder, &[]);

    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("canary.json` is no evidence of a scenario: unknown variant `flew`"), "{text}");
}

#[test]
fn a_report_without_evidence_shows_nothing_s12() {
    let folder = report();
    fs::remove_dir_all(folder.path().join("evidence")).unwrap();

    let (code, text) = replay(&folder, &[]);

    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("0 judged as before, 0 otherwise, 4 without evidence"), "{text}");
}

#[test]
fn a_file_that_the_report_does_not_know_is_refused_s12() {
    let folder = report();
    let other = folder.path().join("other.toml");
    fs::copy(CANARY, &other).unwrap();

    let (code, text) = replay(&folder, &[other.to_str().unwrap()]);

    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("the report holds no scenario `other`"), "{text}");
}
