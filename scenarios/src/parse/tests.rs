//! Bad files end in a message that names the thing, the place and the way out.

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::parse;

/// A valid scenario around these lines.
const GOOD: &str = r#"schema = 1
name = "n"
hypothesis = "h"
[[users]]
name = "ana"
[[steps]]
connect = { device = "ana.phone" }
[[expect]]
id = "answered"
never = { on = { frame = { type = "error" } } }
[[sabotage]]
name = "weak"
settings = { limits.messages.mode = "off" }
caught_by = "answered"
"#;

/// Replaces a part of the valid scenario and renders the error, without colours and frame.
fn error(good: &str, bad: &str) -> String {
    assert!(GOOD.contains(good), "{good}");
    let error = parse("library/s.toml", &GOOD.replace(good, bad)).expect_err("file is bad");
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(200).with_context_lines(0);
    handler.render_report(&mut text, &*error).unwrap();
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_valid_file_is_valid() {
    let scenario = parse("library/s.toml", GOOD).unwrap();

    assert_eq!(scenario.id, "s");
}

#[test]
fn an_unknown_key_is_pointed_at() {
    insta::assert_snapshot!(error("hypothesis", "hypotesis"), @r"");
}

#[test]
fn an_unknown_step_is_pointed_at() {
    insta::assert_snapshot!(error("connect =", "conect ="), @r"");
}

#[test]
fn a_wrong_type_is_pointed_at() {
    insta::assert_snapshot!(error("schema = 1", "schema = \"one\""), @r"");
}

#[test]
fn an_unknown_device_is_pointed_at() {
    insta::assert_snapshot!(error("ana.phone", "ana.tablet"), @r"");
}

#[test]
fn a_sabotage_must_name_a_check_that_exists() {
    insta::assert_snapshot!(error("caught_by = \"answered\"", "caught_by = \"anwsered\""), @r"");
}

#[test]
fn a_scenario_without_sabotage_is_refused() {
    let start = GOOD.find("[[sabotage]]").unwrap();

    insta::assert_snapshot!(error(&GOOD[start..], ""), @r"");
}

#[test]
fn two_kinds_in_one_expectation_are_refused() {
    insta::assert_snapshot!(error("[[sabotage]]", "sometimes = { on = { frame = {} } }\n[[sabotage]]"), @r"");
}

#[test]
fn an_unknown_setting_is_pointed_at() {
    insta::assert_snapshot!(error("[[expect]]", "[[steps]]\nadvance = { by = \"llm.totl + 1s\" }\n[[expect]]"), @r"");
}

#[test]
fn an_unknown_fault_is_pointed_at() {
    insta::assert_snapshot!(error("[[users]]", "[llm.default]\nfaults = [\"html-20\"]\n[[users]]"), @r"");
}

#[test]
fn a_named_time_is_put_in_without_moving_what_follows() {
    let good = GOOD.replace("[[users]]", "[llm.default]\npace = { first_token = \"= llm.gap / 4\", gap = \"0s\" }\n[[users]]");

    let scenario = parse("s.toml", &good).unwrap();

    assert_eq!(scenario.tables.llm.default.pace.unwrap().first_token.as_millis(), 2500);
}
