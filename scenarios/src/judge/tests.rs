//! What makes a verdict, and what must not.

use super::*;
use crate::{
    expr::Settings,
    history::{FactHistory, Operation, Outcome, Span},
    model::Writing,
    parse::parse,
    record::{Event, Frame},
};

/// A scenario whose only expectation is this table.
fn scenario(expect: &str) -> Scenario {
    let text = format!(
        "schema = 1\nname = \"n\"\nhypothesis = \"h\"\n[[users]]\nname = \"ana\"\n[[steps]]\n\
         send = {{ device = \"ana.phone\", text = \"hi\", mark = \"asked\" }}\n[[steps]]\nwrite_facts = {{ user = \
         \"ana\", key = \"note\", writers = 2, each = 9, how = \"replace\", values = 2 }}\n[[expect]]\nid = \"it\"\n{expect}\n\
         [[sabotage]]\nname = \"s\"\nsettings = {{ limits.messages.mode = \"off\" }}\ncaught_by = \"it\"\n"
    );
    parse("s.toml", &text).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error)))
}

/// A turn that was asked for at second 1 and answered at second 3.
fn turn() -> Observation {
    let at = |second| Instant::from_origin(Duration::from_secs(second));
    let event = |second, actor: &str, what| Event { at: at(second), actor: actor.to_owned(), what };
    let done = Frame::new(serde_json::json!({"type": "done", "finish": "answered"}), &mut String::new());
    Observation {
        began: at(0),
        ended: at(3),
        events: vec![
            event(1, "harness", What::Mark { name: "asked".to_owned(), exchanges: 0 }),
            event(1, "ana.phone", What::Sent("hi".to_owned())),
            event(3, "ana.phone", What::Frame(done)),
        ],
        exchanges: Vec::new(),
        first_script: None,
        histories: Vec::new(),
        decisions: Vec::new(),
        histories_began: Instant::ZERO,
        metrics: None,
        panics: None,
        log: Vec::new(),
        process: None,
        steady: Vec::new(),
        settings: Settings::default(),
        usual_settings: Settings::default(),
        slack: Duration::ZERO,
    }
}

fn verdict_of(expect: &str, seen: &Observation) -> (Verdict, String) {
    let transcript = Transcript::new(seen.began, &seen.events, &seen.exchanges);
    let judgement = judge(&scenario(expect), seen, &transcript);
    (judgement.verdict, judgement.reason)
}

#[test]
fn each_kind_of_expectation_can_hold_and_can_fail() {
    let done = "{ frame = { type = \"done\" } }";
    for (expect, verdict) in [
        (format!("never = {{ on = {done} }}"), Verdict::Fail),
        ("never = { on = { frame = { type = \"error\" } } }".to_owned(), Verdict::Pass),
        (format!("sometimes = {{ on = {done}, exactly = 1 }}"), Verdict::Pass),
        (format!("sometimes = {{ on = {done}, exactly = 2 }}"), Verdict::Fail),
        (format!("eventually = {{ on = {done}, after = \"asked\", within = \"2s\" }}"), Verdict::Pass),
        (format!("eventually = {{ on = {done}, after = \"asked\", within = \"1999ms\" }}"), Verdict::Fail),
        (
            format!(
                "eventually = {{ on = {done}, after = \"asked\", within = \"9s\", not_before = \"3s\" }}"
            ),
            Verdict::Fail,
        ),
        (
            format!(
                "always = {{ on = {done}, is = {{ frame = {{ json = {{ \"/finish\" = \"answered\" }} }} }} }}"
            ),
            Verdict::Pass,
        ),
        (format!("always = {{ on = {done}, is = {{ frame = {{ kind = \"answer\" }} }} }}"), Verdict::Fail),
    ] {
        assert_eq!(verdict_of(&expect, &turn()).0, verdict, "{expect}");
    }
}

#[test]
fn too_few_events_to_judge_are_inconclusive() {
    let expect = "always = { on = { frame = { type = \"error\" } }, is = { frame = {} } }";

    let (verdict, reason) = verdict_of(expect, &turn());

    assert_eq!(
        (verdict, reason.as_str()),
        (Verdict::Inconclusive, "only 0 events to judge, at least 1 are needed")
    );
}

#[test]
fn a_mark_that_was_never_reached_proves_nothing() {
    let mut seen = turn();
    seen.events.remove(0);

    let (verdict, reason) =
        verdict_of("never = { on = { frame = { type = \"error\" } }, after = \"asked\" }", &seen);

    assert_eq!((verdict, reason.as_str()), (Verdict::Inconclusive, "mark `asked` was never reached"));
}

#[test]
fn evidence_that_did_not_come_proves_nothing() {
    let mut seen = turn();
    let missing = What::Missing("the awaited frames did not come".to_owned());
    seen.events.push(Event { at: seen.ended, actor: "harness".to_owned(), what: missing });

    assert_eq!(
        verdict_of("never = { on = { frame = { type = \"error\" } } }", &seen).0,
        Verdict::Inconclusive
    );
}

#[test]
fn a_history_that_is_too_long_to_be_searched_proves_nothing_s11() {
    let mut seen = turn();
    let write = Operation {
        writer: "0".to_owned(),
        value: "again".to_owned(),
        outcome: Outcome::Acknowledged(1),
        span: Span::default(),
    };
    let operations = vec![write; 1001];
    seen.histories.push(FactHistory { operations, ..FactHistory::new("ana", "note", Writing::Replace) });

    let (verdict, reason) =
        verdict_of("history = { key = \"note\", check = \"linearizable\", at_least = 1 }", &seen);

    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(reason.contains("is not searched for"), "{reason}");
}

#[test]
fn without_a_steady_state_before_nothing_is_judged() {
    let mut seen = turn();
    seen.steady.push(Check {
        id: STEADY_BEFORE.to_owned(),
        source: CheckSource::Steady,
        held: false,
        expected: String::new(),
        observed: "no answer".to_owned(),
        evidence: Vec::new(),
    });

    assert_eq!(
        verdict_of("never = { on = { frame = { type = \"done\" } } }", &seen).0,
        Verdict::Inconclusive
    );
}

#[test]
fn what_was_nearly_it_is_told_with_the_field_that_kept_it_out() {
    let reason = |expect: &str| verdict_of(expect, &turn()).1;
    let canned =
        reason("sometimes = { on = { frame = { type = \"done\", json = { \"/finish\" = \"canned\" } } } }");
    let two =
        reason("sometimes = { on = { frame = { device = \"ana\", type = \"error\", answer = \"Yes.\" } } }");

    insta::assert_snapshot!(format!("{canned}\n{two}"), @r#"
    it: expected at least 1 (the end of a turn with “canned” at `/finish`), observed none; one is near, but its `json` is "answered"
    it: expected at least 1 (an error for ana with the whole answer “Yes.”), observed none; one is near, but its `answer` is "" and its `type` is "done"
    "#);
}
