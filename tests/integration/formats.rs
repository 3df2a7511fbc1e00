//! What a run writes for programs: JUnit XML within its schema, JSON within ours, commands for CI systems.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Output},
};

use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::schema::{contradictions, strict_contradictions};

const CANARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/canary.toml");
const NAMES: [&str; 3] = [
    "silent_model_ends_at_the_first_token_limit",
    "suggestion_is_confirmed_once",
    "user_limit_follows_the_user",
];

/// What an element may be.
struct Rule {
    name: &'static str,
    /// What it stands in.
    within: &'static [&'static str],
    /// The attributes that it may have, and those that it must.
    may: &'static [&'static str],
    must: &'static [&'static str],
}

const fn rule(
    name: &'static str,
    within: &'static [&'static str],
    may: &'static [&'static str],
    must: &'static [&'static str],
) -> Rule {
    Rule { name, within, may, must }
}

const SUITE: &[&str] = &[
    "name",
    "tests",
    "failures",
    "errors",
    "time",
    "disabled",
    "skipped",
    "timestamp",
    "hostname",
    "id",
    "package",
];

/// The schema of Jenkins, as far as it has to do with us (`junit-10.xsd`).
const RULES: [Rule; 8] = [
    rule("testsuites", &[""], &["name", "time", "tests", "failures", "disabled", "errors"], &[]),
    rule("testsuite", &["testsuites", "testsuite"], SUITE, &["name", "tests"]),
    rule("properties", &["testsuite"], &[], &[]),
    rule("property", &["properties"], &["name", "value"], &["name", "value"]),
    rule("testcase", &["testsuite"], &["name", "classname", "time", "status", "assertions"], &["name"]),
    rule("failure", &["testcase"], &["type", "message"], &[]),
    rule("error", &["testcase"], &["type", "message"], &[]),
    rule("skipped", &["testcase"], &["type", "message"], &[]),
];

/// Runs gauntlet as if no CI system were around, but for `variables`.
fn gauntlet(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    for name in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION"] {
        command.env_remove(name);
    }
    command.args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn report(command: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let arguments = [&[command], &NAMES[..], &[CANARY, "--report", place]].concat();
    let output = gauntlet(&arguments, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    folder
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn schema(of: &str) -> Value {
    serde_json::from_slice(&gauntlet(&["schema", "--of", of], &[]).stdout).unwrap()
}

/// A frame that the published schemas do not know would break whoever has made a client by them.
#[test]
fn every_frame_of_both_protocols_is_as_its_schemas_say_f140_f148() {
    let folder = tempfile::tempdir().unwrap();
    let output = gauntlet(&["run", "v1", "--report", folder.path().to_str().unwrap()], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let (schema, socket) = (schema("chat"), schema("socket"));
    let server = json!({"$ref": "#/$defs/ServerFrame", "$defs": schema["$defs"]});

    let mut seen = BTreeSet::new();
    for file in fs::read_dir(folder.path().join("evidence")).unwrap() {
        let evidence = json_of(&file.unwrap().path());
        for event in evidence["seen"]["events"].as_array().unwrap() {
            let frame = &event["what"]["frame"]["json"];
            let Some(kind) = frame["type"].as_str() else { continue };
            let is_v1 = event["what"]["frame"]["ends"].is_boolean();
            let name = format!("{}.server.{kind}", if is_v1 { "v1" } else { "v0" });
            let payload = &socket["components"]["messages"][&name]["payload"];
            assert_eq!(strict_contradictions((&socket, payload), frame), [""; 0], "{name}: {frame}");
            if is_v1 {
                assert_eq!(contradictions(&server, frame), [""; 0], "{frame}");
            }
            seen.insert(name);
        }
    }

    let kinds = ["ack", "chunk", "done", "error", "message", "safety", "session", "snapshot", "welcome"];
    assert!(kinds.iter().all(|kind| seen.contains(&format!("v1.server.{kind}"))), "{seen:?}");
    assert!(["done", "message"].iter().all(|kind| seen.contains(&format!("v0.server.{kind}"))), "{seen:?}");
}

/// What was counted in a suite, or in all of them.
type Counts = BTreeMap<String, u64>;

/// Reads JUnit XML; panics with the rule that it breaks. Returns the counts of the root and of all suites together.
fn read(xml: &str) -> (Counts, Counts) {
    let mut reader = Reader::from_str(xml);
    let (mut open, mut told, mut counted) = (vec![String::new()], Counts::new(), Counts::new());
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("no XML: {error}"));
        let (start, is_empty) = match &event {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => return (told, counted),
            _ => continue,
        };
        let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
        let attributes: Counts = attributes(&name, open.last().unwrap(), start);
        match name.as_str() {
            "testsuites" => told = attributes,
            "testcase" => *counted.entry("tests".to_owned()).or_default() += 1,
            "failure" | "error" => *counted.entry(format!("{name}s")).or_default() += 1,
            _ => {}
        }
        if !is_empty {
            open.push(name);
        }
    }
}

/// Checks an element against its rule; returns its attributes that are numbers.
fn attributes(name: &str, parent: &str, start: &quick_xml::events::BytesStart<'_>) -> Counts {
    let rule = RULES.iter().find(|rule| rule.name == name);
    let rule = rule.unwrap_or_else(|| panic!("the schema knows no <{name}>"));
    assert!(rule.within.contains(&parent), "<{name}> within <{parent}>");
    let mut numbers = Counts::new();
    let mut names = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.unwrap_or_else(|error| panic!("<{name}>: {error}"));
        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        assert!(rule.may.contains(&key.as_str()), "<{name}> has no attribute `{key}`");
        if key == "time" {
            assert!(value.parse::<f64>().is_ok_and(|time| time >= 0.0), "<{name} time=\"{value}\">");
        } else if let Ok(number) = value.parse() {
            numbers.insert(key.clone(), number);
        }
        names.push(key);
    }
    for needed in rule.must {
        assert!(names.iter().any(|name| name == needed), "<{name}> needs `{needed}`");
    }
    numbers
}

#[test]
fn junit_is_within_the_schema_of_jenkins_and_its_sums_are_right_s13() {
    for command in ["run", "prove"] {
        let folder = report(command);

        let (told, counted) = read(&fs::read_to_string(folder.path().join("junit.xml")).unwrap());

        assert!(counted["tests"] > 20 && counted["failures"] > 0, "{counted:?}");
        for name in ["tests", "failures"] {
            assert_eq!(told[name], counted[name], "{command}: {name}");
        }
        assert_eq!(told["errors"], counted.get("errors").copied().unwrap_or_default());
    }
}

#[test]
fn json_is_within_the_schemas_that_are_printed_s13() {
    let folder = report("prove");

    let run = json_of(&folder.path().join("run.json"));
    assert_eq!(contradictions(&schema("run"), &run), [""; 0]);
    let kept = schema("evidence");
    for name in NAMES.iter().chain(&["canary"]) {
        let evidence = json_of(&folder.path().join(format!("evidence/{name}.json")));
        assert_eq!(contradictions(&kept, &evidence), [""; 0], "{name}");
    }
}

#[test]
fn a_schema_that_is_not_kept_to_is_noticed_s13() {
    let folder = report("run");
    let mut run = json_of(&folder.path().join("run.json"));
    run["scenarios"][0]["verdict"] = json!("perhaps");
    run["scenarios"][1]["transcript"][0]["at_us"] = json!(-1);
    run.as_object_mut().unwrap().remove("seed");

    let found = contradictions(&schema("run"), &run).join("\n");

    assert!(found.contains("/scenarios/0/verdict: wanted another of the choices"), "{found}");
    assert!(found.contains("/scenarios/1/transcript/0/at_us: wanted 0 at least"), "{found}");
    assert!(found.contains(": wanted a field `seed`"), "{found}");
}

#[test]
fn a_ci_system_is_told_what_did_not_hold_in_its_own_words_s16() {
    let folder = tempfile::tempdir().unwrap();
    let (place, summary) = (folder.path().to_str().unwrap(), folder.path().join("step.md"));
    fs::write(&summary, "before\n").unwrap();
    let arguments = ["run", CANARY, "--report", place];
    let told =
        |variables: &[(&str, &str)]| String::from_utf8(gauntlet(&arguments, variables).stdout).unwrap();

    let github = told(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]);
    assert!(
        github.contains(&format!("\n::error file={CANARY},title=canary fail::a question is")),
        "{github}"
    );
    let page = fs::read_to_string(&summary).unwrap();
    assert!(page.starts_with("before\n# gauntlet: 0 of 1 scenario held, 1 failed"), "{page}");

    assert!(told(&[("TF_BUILD", "True")]).contains("##vso[task.uploadsummary]/"));
    let teamcity = told(&[("TEAMCITY_VERSION", "2026.1")]);
    assert!(teamcity.contains("##teamcity[buildProblem description='canary fail"), "{teamcity}");
    assert!(teamcity.contains(&format!("importData type='junit' path='{place}/junit.xml'")), "{teamcity}");
    let alone = told(&[]);
    assert!(!alone.contains("::error") && !alone.contains("##"), "{alone}");
}
