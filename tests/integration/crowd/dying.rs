//! A target that ends in the middle of a load.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{HEAD, SETTINGS, group};

/// The reference server in a shell that tells its number.
fn telling_its_number() -> String {
    let usual = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/targets/load.toml")).unwrap();
    let start = "[\"{gauntlet}\", \"serve\",";
    assert!(usual.contains(start), "{usual}");
    usual.replacen(
        start,
        "[\"sh\", \"-c\", 'echo $$ > number; exec \"$0\" \"$@\"', \"{gauntlet}\", \"serve\",",
        1,
    )
}

#[test]
fn what_was_measured_before_a_target_ended_is_told_l5_l6() {
    let folder = tempfile::tempdir().unwrap();
    let talkers = group("talkers", 8, "chat = { every = \"200ms\" }");
    let writers = group("writers", 8, "facts = { people = 2, writes = 5, how = \"append\" }");
    // In a second the generator looks too seldom to call itself late on a slow machine, which would be the last step.
    let head = HEAD.replace("\"2s\"", "\"1s\"");
    let profile = format!("{head}{SETTINGS}{talkers}{writers}");
    fs::write(folder.path().join("small.toml"), profile).unwrap();
    fs::write(folder.path().join("target.toml"), telling_its_number()).unwrap();
    let mut load = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["load", "./small.toml", "--target", "target.toml", "--steps", "4", "--json", "run.json"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    // As soon as the second step begins.
    let mut told = BufReader::new(load.stderr.take().unwrap()).lines().map(Result::unwrap);
    if !told.any(|line| line.contains("8 users come within")) {
        let output = load.wait_with_output().unwrap();
        panic!("the second step never began: {}", String::from_utf8_lossy(&output.stdout));
    }
    let number = fs::read_to_string(folder.path().join("number")).unwrap();
    let killed = Command::new("kill").args(["-9", number.trim()]).status().unwrap();
    let rest: Vec<String> = told.collect();
    let output = load.wait_with_output().unwrap();

    let shown = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), rest.join("\n"));
    assert!(killed.success() && output.status.code() == Some(1), "{shown}");
    assert!(shown.contains("the load comes to its end: the target ended with signal: 9"), "{shown}");
    assert!(shown.contains("step 2 of 8 users is the first to break"), "{shown}");
    assert!(shown.contains("; 4 users were carried"), "{shown}");
    let report: Value = serde_json::from_slice(&fs::read(folder.path().join("run.json")).unwrap()).unwrap();
    assert_eq!(report["steps"].as_array().unwrap().len(), 2, "{shown}");
    assert!(report["steps"][0]["figures"]["turns"].as_f64().unwrap() > 0.0, "{shown}");
    assert!(report["promises"].get("keeps-facts").is_none(), "nobody knows what it keeps: {shown}");
}
