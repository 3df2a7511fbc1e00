//! `ci/bench-compare`, over figures as criterion writes them (B1).

use std::{fs, path::Path, process::Command};

use serde_json::json;

/// Notes the median of a bench, in nanoseconds.
fn note(target: &Path, (group, name): (&str, &str), median: f64) {
    let folder = target.join("criterion").join(group).join(name).join("new");
    fs::create_dir_all(&folder).unwrap();
    let bench = json!({"group_id": group, "function_id": name, "value_str": null});
    fs::write(folder.join("benchmark.json"), bench.to_string()).unwrap();
    let median = json!({"confidence_interval": {"confidence_level": 0.95}, "point_estimate": median});
    let estimates = format!("{{\"mean\":{{\"point_estimate\":1.0}},\"median\":{median},\"slope\":null}}");
    fs::write(folder.join("estimates.json"), estimates).unwrap();
}

/// Compares the figures there are; returns how that ended and what was printed.
fn compare(target: &Path, options: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ci/bench-compare"));
    command.arg("--no-run").args(options).env("CARGO_TARGET_DIR", target);
    let output = command.output().unwrap();
    (
        output.status.code(),
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat(),
    )
}

#[test]
fn each_bench_stands_beside_its_floor_and_one_that_became_slower_is_red_b1() {
    let target = tempfile::tempdir().unwrap();
    let target = target.path();
    for (name, median) in [
        ("floor: bare, one key", 100.0),
        ("floor: bare, many keys", 1000.0),
        ("ours, one key", 200.0),
        ("ours, many keys", 1500.0),
    ] {
        note(target, ("limiter", name), median);
    }

    let (code, told) = compare(target, &["--keep"]);
    assert_eq!(code, Some(0), "{told}");
    let ratios: Vec<_> = told.lines().filter_map(|line| line.split_whitespace().rev().nth(2)).collect();
    assert_eq!(ratios, ["ratio", "1.50", "2.00"], "{told}");

    note(target, ("limiter", "ours, one key"), 220.0);
    let (code, told) = compare(target, &[]);
    assert_eq!(code, Some(0), "a tenth is the machine: {told}");

    note(target, ("limiter", "ours, one key"), 300.0);
    let (code, told) = compare(target, &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("worse than before by more than a factor of 1.3"), "{told}");
}

#[test]
fn a_bench_without_a_floor_is_red_b1() {
    let target = tempfile::tempdir().unwrap();
    note(target.path(), ("breaker", "asked when closed"), 5.0);

    let (code, told) = compare(target.path(), &[]);

    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("has no floor"), "{told}");
}
