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
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(200).with_context_lines(0);
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
    insta::assert_snapshot!(error("hypothesis", "hypotesis"), @"
     x unknown field `hypotesis`, expected one of `schema`, `name`, `gap`, `features`, `tags`, `hypothesis`, `needs`, `settings`, `llm`, `users`, `steady`, `steps`, `expect`, `sabotage`
      ,-[library/s.toml:3:1]
    3 | hypotesis
      : ^^^^^^^^^
      `----
     help: did you mean `hypothesis`?
    ");
}

#[test]
fn an_unknown_step_is_pointed_at() {
    insta::assert_snapshot!(error("connect =", "conect ="), @"
     x unknown variant `conect`, expected one of `connect`, `disconnect`, `send`, `stop`, `send_raw`, `send_frames`, `client`, `await`, `advance`, `http`, `mark`, `llm`, `repeat`, `write_facts`,
     | `decide`, `process`, `network`, `sql`
      ,-[library/s.toml:7:1]
    7 | conect
      : ^^^^^^
      `----
     help: did you mean `connect`?
    ");
}

#[test]
fn a_wrong_type_is_pointed_at() {
    insta::assert_snapshot!(error("schema = 1", "schema = \"one\""), @r#"
     x invalid type: string "one", expected u32
      ,-[library/s.toml:1:10]
    1 | "one"
      : ^^^^^
      `----
    "#);
}

#[test]
fn an_unknown_device_is_pointed_at() {
    insta::assert_snapshot!(error("ana.phone", "ana.tablet"), @r#"
     x unknown device `ana.tablet`
      ,-[library/s.toml:7:22]
    7 | "ana.tablet"
      : ^^^^^^^^^^^^
      `----
     help: there is: ana.phone
    "#);
}

#[test]
fn a_sabotage_must_name_a_check_that_exists_s10() {
    insta::assert_snapshot!(error("caught_by = \"answered\"", "caught_by = \"anwsered\""), @r#"
     x unknown check `anwsered`
       ,-[library/s.toml:14:13]
    14 | "anwsered"
       : ^^^^^^^^^^
       `----
     help: did you mean `answered`?
    "#);
}

#[test]
fn a_scenario_without_sabotage_is_refused_s10() {
    let start = GOOD.find("[[sabotage]]").unwrap();

    insta::assert_snapshot!(error(&GOOD[start..], ""), @"
    x scenario has no sabotage, so nothing shows that it can fail
    help: add a `[[sabotage]]` with the protection that it proves
    ");
}

#[test]
fn two_kinds_in_one_expectation_are_refused() {
    insta::assert_snapshot!(error("[[sabotage]]", "sometimes = { on = { frame = {} } }\n[[sabotage]]"), @r#"
     x expectation `answered` must have exactly one kind
      ,-[library/s.toml:9:6]
    9 | "answered"
      : ^^^^^^^^^^
      `----
     help: give one of `never`, `sometimes`, `eventually`, `always`, `history`
    "#);
}

#[test]
fn an_unknown_setting_is_pointed_at() {
    insta::assert_snapshot!(error("[[expect]]", "[[steps]]\nadvance = { by = \"llm.totl + 1s\" }\n[[expect]]"), @"
     x there is no setting `llm.totl`
      ,-[library/s.toml:9:19]
    9 | llm.totl
      : ^^^^^^^^
      `----
     help: did you mean `llm.total`?
    ");
}

#[test]
fn a_history_that_nobody_writes_is_pointed_at() {
    let steps = "[[steps]]\nwrite_facts = { user = \"ana\", key = \"note\", writers = 2, readers = 1, each = 1, how = \"replace\" }\n";
    let expect =
        "[[expect]]\nid = \"h\"\nhistory = { key = \"noet\", check = \"linearizable\", at_least = 1 }\n";

    insta::assert_snapshot!(error("[[expect]]", &format!("{steps}{expect}[[expect]]")), @"
     x unknown key `noet`
       ,-[library/s.toml:12:20]
    12 | noet
       : ^^^^
       `----
     help: did you mean `note`?
    ");
}

#[test]
fn values_that_are_written_again_and_again_have_no_serial_history() {
    let steps = "[[steps]]\nwrite_facts = { user = \"ana\", key = \"note\", writers = 2, each = 9, how = \"replace\", values = 2 }\n";
    let expect =
        "[[expect]]\nid = \"h\"\nhistory = { key = \"note\", check = \"serial_history\", at_least = 1 }\n";

    insta::assert_snapshot!(error("[[expect]]", &format!("{steps}{expect}[[expect]]")), @"
     x `note` is written with few `values`, so that nobody knows which write is stored
      ,-[library/s.toml:9:38]
    9 | note
      : ^^^^
      `----
     help: leave `values` out, or check that it is `linearizable`
    ");
}

#[test]
fn a_kill_needs_a_process_and_a_decision_a_suggestion() {
    let told = |step: &str| error("[[expect]]", &format!("[[steps]]\n{step}\n[[expect]]"));
    let kill = "write_facts = { user = \"ana\", key = \"note\", writers = 2, each = 1, how = \"replace\", killed_after = 2 }";
    let decide = "decide = { user = \"ana\", suggestion = \"headache\", confirm = 2 }";

    insta::assert_snapshot!([told(kill), told(decide)].join("\n"), @r#"
     x `killed_after` is about a target that was started here
      ,-[library/s.toml:9:24]
    9 | "ana"
      : ^^^^^
      `----
     help: add `needs = ["process"]`
     x nothing is saved as `headache`
      ,-[library/s.toml:9:39]
    9 | "headache"
      : ^^^^^^^^^^
      `----
     help: save the suggestion's id in an `http` step before
    "#);
}

#[test]
fn an_unknown_fault_is_pointed_at() {
    insta::assert_snapshot!(error("[[users]]", "[llm.default]\nfaults = [\"html-20\"]\n[[users]]"), @r#"
     x fault `html-20` is not in the catalogue, did you mean `html-200`; `gauntlet faults` lists them
      ,-[library/s.toml:5:10]
    5 | ["html-20"]
      : ^^^^^^^^^^^
      `----
    "#);
}

/// Puts a step behind the one that connects, and renders the error.
fn step_error(step: &str) -> String {
    let connect = "connect = { device = \"ana.phone\" }";
    error(connect, &format!("{connect}\n[[steps]]\n{step}"))
}

#[test]
fn a_client_can_do_only_what_there_is_s1_s8() {
    insta::assert_snapshot!(step_error("client = { device = \"ana.phone\", do = \"stop_readin\" }"), @r#"
     x unknown variant `stop_readin`, expected one of `stop_reading`, `read_on`, `ignore_pings`, `ping`, `reset`, `vanish`, `close_half`
      ,-[library/s.toml:9:39]
    9 | "stop_readin"
      : ^^^^^^^^^^^^^
      `----
     help: did you mean `stop_reading`?
    "#);
    insta::assert_snapshot!(step_error("client = { device = \"ana.phone\", do = \"reset\", times = 3 }"), @r#"
     x only pings have `times`
      ,-[library/s.toml:9:21]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: write `do = "ping"`, or no `times`
    "#);
    insta::assert_snapshot!(step_error("client = { device = \"ana.phone\", do = \"ping\", times = 0 }"), @r#"
     x `times` is 0
      ,-[library/s.toml:9:21]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: write a number from 1 to 100000
    "#);
    insta::assert_snapshot!(step_error("client = { device = \"ana.fone\", do = \"ping\" }"), @r#"
     x unknown device `ana.fone`
      ,-[library/s.toml:9:21]
    9 | "ana.fone"
      : ^^^^^^^^^^
      `----
     help: did you mean `ana.phone`?
    "#);
}

#[test]
fn a_frame_that_cannot_be_on_any_wire_is_pointed_at_s1_s8() {
    let error =
        |frame: &str| step_error(&format!("send_frames = {{ device = \"ana.phone\", frames = [{frame}] }}"));

    insta::assert_snapshot!(error(""), @r#"
     x `frames` is empty
      ,-[library/s.toml:9:26]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: write `frames = [{ opcode = "text" }]`
    "#);
    insta::assert_snapshot!(error("{ opcode = \"txt\" }"), @r#"
     x unknown variant `txt`, expected one of `continuation`, `text`, `binary`, `reserved_data`, `close`, `ping`, `pong`, `reserved_control`
      ,-[library/s.toml:9:60]
    9 | "txt"
      : ^^^^^
      `----
     help: did you mean `text`?
    "#);
    insta::assert_snapshot!(error("{ opcode = \"text\", hex = \"c3 2\" }"), @"
     x `c3 2` is not hexadecimal
      ,-[library/s.toml:9:75]
    9 | c3 2
      : ^^^^
      `----
     help: write two digits for each byte, such as `c3 28`
    ");
    insta::assert_snapshot!(error("{ opcode = \"text\", hex = \"c3\", characters = 3 }"), @r#"
     x a frame has one content
      ,-[library/s.toml:9:26]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: give one of `payload`, `hex`, `characters`
    "#);
    insta::assert_snapshot!(error("{ opcode = \"text\", reserved = 8 }"), @r#"
     x `reserved` is 8
      ,-[library/s.toml:9:26]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: write the three bits as a number from 0 to 7
    "#);
    insta::assert_snapshot!(error("{ opcode = \"ping\", code = 1000 }"), @r#"
     x only a frame that closes has a `code`
      ,-[library/s.toml:9:26]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: write `opcode = "close"`, or no `code`
    "#);
    insta::assert_snapshot!(error("{ opcode = \"text\", characters = 65536, times = 1000 }"), @r#"
     x these frames have 65536000 bytes
      ,-[library/s.toml:9:26]
    9 | "ana.phone"
      : ^^^^^^^^^^^
      `----
     help: one step may send 16777216; `length` announces more than it sends
    "#);
}

#[test]
fn chat_completions_have_no_frames_and_no_handshake_s5_s8() {
    let error = |step: &str| {
        let good = GOOD.replace("hypothesis = \"h\"", "hypothesis = \"h\"\nneeds = [\"completions\"]");
        let bad = good.replace("connect = { device = \"ana.phone\" }", step);
        parse("completions/s.toml", &bad).expect_err("file is bad").to_string()
    };

    assert_eq!(
        error("client = { device = \"ana.phone\", do = \"vanish\" }"),
        "chat completions have no WebSocket for `client`"
    );
    assert_eq!(
        error("connect = { device = \"ana.phone\", receive_buffer = 4096 }"),
        "chat completions have no WebSocket for `headers`, `query` and `receive_buffer`"
    );
}

#[test]
fn a_named_time_is_put_in_without_moving_what_follows() {
    let good = GOOD.replace(
        "[[users]]",
        "[llm.default]\npace = { first_token = \"= llm.gap / 4\", gap = \"0s\" }\n[[users]]",
    );

    let scenario = parse("s.toml", &good).unwrap();

    let first_token = scenario.tables.llm.default.pace.unwrap().first_token;
    assert_eq!(first_token, std::time::Duration::from_millis(2500).into());
}

#[test]
fn what_nothing_could_meet_or_break_is_refused_s1() {
    let eventually = |times: &str| {
        format!("eventually = {{ on = {{ frame = {{ type = \"error\" }} }}, after = \"start\", {times} }}")
    };
    let sometimes =
        |counts: &str| format!("sometimes = {{ on = {{ frame = {{ type = \"error\" }} }}, {counts} }}");
    let first = |good: &str, bad: &str| error(good, bad).lines().next().unwrap_or("").trim().to_owned();
    let never = "never = { on = { frame = { type = \"error\" } } }";
    let told = [
        first(never, &sometimes("at_least = 5, at_most = 3")),
        first(never, &sometimes("exactly = 1, at_least = 5")),
        first(never, &sometimes("at_least = 0")),
        first(never, &eventually("within = \"0s - 1s\"")),
        first(never, &eventually("within = \"1s\", not_before = \"2s\"")),
        first("name = \"n\"", "name = \" \""),
    ];

    insta::assert_snapshot!(told.join("\n"), @r#"
    x nothing comes at least 5 times and at most 3 times
    x `exactly` leaves nothing to bound
    x `at_least = 0` holds whatever happens
    x `within = "0s - 1s"` leaves no time
    x nothing comes 2s after the mark or later and within 1s
    x scenario has an empty `name`
    "#);
    assert!(parse("library/s.toml", &GOOD.replace(never, &sometimes("at_least = 1, at_most = 1"))).is_ok());
}

#[test]
fn a_call_has_one_body() {
    let call = "[[steps]]\nhttp = { path = \"/x\", body = { a = 1 }, text = \"a,b\" }\n[[expect]]";

    insta::assert_snapshot!(error("[[expect]]", call), @r#"
    x `http` sends either `body` or `text`, not both: "a,b"
    help: leave one of them out
    "#);
}
