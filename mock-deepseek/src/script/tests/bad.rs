//! Scripts that are wrong, and what their writers are told.

use crate::Script;

fn error(text: &str) -> String {
    match Script::from_toml(text) {
        Ok(script) => panic!("nothing is wrong with {script:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_key_that_does_not_exist_m10() {
    insta::assert_snapshot!(error(r#"[[rules]]
match = { containz = "week" }
"#), @r#"
    script cannot be read, line 2, column 11: key `containz` is not known here
      |
    2 | match = { containz = "week" }
      |           ^^^^^^^^ did you mean `contains`?
    known here: `contains`, `equals`, `regex`, `system`, `any_message`, `messages`, `model`, `user_id`, `key`, `stream`, `path`, `surface`, `nth`, `socket_nth`, `header`, `json`
    "#);
}

#[test]
fn a_table_that_does_not_exist_m10() {
    insta::assert_snapshot!(error(r"[default]
[limts]
concurrency = 5
"), @r#"
    script cannot be read, line 2, column 2: key `limts` is not known here
      |
    2 | [limts]
      |  ^^^^^ did you mean `limits`?
    known here: `rules`, `default`, `limits`, `balance`
    "#);
}

#[test]
fn a_fault_that_does_not_exist_m10() {
    insta::assert_snapshot!(error(r#"[default]
faults = ["crlf", "to-busy-503"]
"#), @r#"
    script cannot be read, line 2, column 20: fault `to-busy-503` is not in the catalogue, did you mean `too-busy-503`; `gauntlet faults` lists them
      |
    2 | faults = ["crlf", "to-busy-503"]
      |                    ^^^^^^^^^^^
    "#);
}

#[test]
fn a_parameter_that_does_not_exist_m10() {
    insta::assert_snapshot!(error(r#"[[rules]]
faults = [{ id = "stall", after_evnts = 3 }]
"#), @r#"
    script cannot be read, line 2, column 27: fault `stall` has no parameter `after_evnts`; it has `after_events`, `lasts`, did you mean `after_events`
      |
    2 | faults = [{ id = "stall", after_evnts = 3 }]
      |                           ^^^^^^^^^^^
    "#);
}

#[test]
fn a_parameter_of_the_wrong_type_m10() {
    insta::assert_snapshot!(error(r#"[[rules]]
faults = [
  { id = "stall", after_events = "soon" },
]
"#), @r#"
    script cannot be read, line 3, column 35: fault `stall` does not take these parameters: invalid type: string "soon", expected a whole number
      |
    3 |   { id = "stall", after_events = "soon" },
      |                                   ^^^^
    "#);
}

#[test]
fn a_fault_without_an_id() {
    insta::assert_snapshot!(error(r"[default]
faults = [{ after_events = 3 }]
"), @r#"
    script cannot be read, line 2, column 10: a fault needs an `id`: write `{ id = "stall", after_events = 3 }`
      |
    2 | faults = [{ after_events = 3 }]
      |          ^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_pace_without_a_unit() {
    insta::assert_snapshot!(error(r#"[default]
pace = { gap = "15" }
"#), @r#"
    script cannot be read, line 2, column 17: `15` is not a duration: write a number and a unit, such as `250ms`, `8s` or `2m`
      |
    2 | pace = { gap = "15" }
      |                 ^^
    "#);
}

#[test]
fn a_latency_profile_that_does_not_exist_m8() {
    insta::assert_snapshot!(error(r#"[default]
pace = { profile = "live-206", gap = "1ms" }
"#), @r#"
    script cannot be read, line 2, column 21: latency profile `live-206` does not exist, did you mean `live-2026`; there are buffered-proxy, live-2026, queue-2026, thinking-2026, third-party-2026
      |
    2 | pace = { profile = "live-206", gap = "1ms" }
      |                     ^^^^^^^^
    "#);
}

#[test]
fn a_distribution_that_does_not_exist_m8() {
    insta::assert_snapshot!(error(r#"[default]
pace = { gap = { unifrom = { from = "1ms", to = "2ms" } } }
"#), @r#"
    script cannot be read, line 2, column 18: key `unifrom` is not known here
      |
    2 | pace = { gap = { unifrom = { from = "1ms", to = "2ms" } } }
      |                  ^^^^^^^ did you mean `uniform`?
    known here: `constant`, `uniform`, `normal`, `lognormal`, `exponential`, `jitter`, `tail`, `per`, `source`
    "#);
}

#[test]
fn two_distributions_at_once() {
    insta::assert_snapshot!(error(r#"[default]
pace = { gap = { constant = "1ms", exponential = { mean = "2ms" } } }
"#), @r#"
    script cannot be read, line 2, column 18: more than one distribution is given: write one of `constant`, `uniform`, `normal`, `lognormal` and `exponential`
      |
    2 | pace = { gap = { constant = "1ms", exponential = { mean = "2ms" } } }
      |                  ^^^^^^^^
    "#);
}

#[test]
fn a_range_that_ends_before_it_begins() {
    insta::assert_snapshot!(error(r#"[default]
pace = { gap = { uniform = { from = "2s", to = "1s" } } }
"#), @r#"
    script cannot be read, line 2, column 30: `from` is longer than `to`: swap them
      |
    2 | pace = { gap = { uniform = { from = "2s", to = "1s" } } }
      |                              ^^^^
    "#);
}

#[test]
fn a_value_of_the_wrong_type() {
    insta::assert_snapshot!(error(r#"[[rules]]
times = "twice"
"#), @r#"
    script cannot be read, line 2, column 10: invalid type: string "twice", expected a whole number
      |
    2 | times = "twice"
      |          ^^^^^
    "#);
}

#[test]
fn a_choice_among_words() {
    insta::assert_snapshot!(error(r#"[[rules]]
sequence = [{}]
then = "falls-through"
"#), @r#"
    script cannot be read, line 3, column 9: value `falls-through` is not known here
      |
    3 | then = "falls-through"
      |         ^^^^^^^^^^^^^ did you mean `fall-through`?
    known here: `repeat-last`, `fall-through`, `start-over`
    "#);
}

#[test]
fn a_finish_that_does_not_exist() {
    insta::assert_snapshot!(error(r#"[[rules]]
reply = { finish = "stopped" }
"#), @r#"
    script cannot be read, line 2, column 21: value `stopped` is not known here
      |
    2 | reply = { finish = "stopped" }
      |                     ^^^^^^^ did you mean `stop`?
    known here: `stop`, `length`, `content_filter`, `tool_calls`, `insufficient_system_resource`, `aborted`
    "#);
}

#[test]
fn a_regular_expression_that_is_none_m10() {
    insta::assert_snapshot!(error(r"[[rules]]
match = { regex = 'week (\d+' }
"), @r#"
    script cannot be read, line 2, column 19: regular expression cannot be read: unclosed group
      |
    2 | match = { regex = 'week (\d+' }
      |                   ^^^^^^^^^^^
    "#);
}

#[test]
fn a_json_pointer_that_is_none_m10() {
    insta::assert_snapshot!(error(r#"[[rules]]
match = { json = { "tools/0" = 1 } }
"#), @r#"
    script cannot be read, line 2, column 21: `tools/0` is not a JSON pointer: it begins with `/`, as in `/tools/0/function/name`
      |
    2 | match = { json = { "tools/0" = 1 } }
      |                     ^^^^^^^
    "#);
}

#[test]
fn a_json_condition_that_does_not_exist() {
    insta::assert_snapshot!(error(r#"[[rules]]
match = { json = { "/tools" = { exsts = true } } }
"#), @r#"
    script cannot be read, line 2, column 33: key `exsts` is not known here
      |
    2 | match = { json = { "/tools" = { exsts = true } } }
      |                                 ^^^^^ did you mean `exists`?
    known here: `equals`, `contains`, `regex`, `exists`
    "#);
}

#[test]
fn a_chance_above_one() {
    insta::assert_snapshot!(error(r"[[rules]]
chance = 2
"), @r#"
    script cannot be read, line 2, column 10: a share is a number from 0 to 1: write `0.02` for 2 %
      |
    2 | chance = 2
      |          ^
    "#);
}

#[test]
fn choices_and_a_sequence_in_one_rule() {
    insta::assert_snapshot!(error(r#"[[rules]]
name = "a"

[[rules]]
name = "b"
sequence = [{}]
choose = [{ weight = 1 }]
"#), @r#"
    script cannot be read, line 7, column 1: rule 2: `choose` and `sequence` cannot be in one rule: make two rules of it
      |
    7 | choose = [{ weight = 1 }]
      | ^^^^^^
    "#);
}

#[test]
fn a_burst_without_a_chance() {
    insta::assert_snapshot!(error(r"[[rules]]
burst = 3
"), @r#"
    script cannot be read, line 2, column 1: rule 1: `burst` needs a `chance`: without one the rule answers always; `times` limits it
      |
    2 | burst = 3
      | ^^^^^
    "#);
}

#[test]
fn an_amount_that_is_none_m9() {
    insta::assert_snapshot!(error(r#"[balance]
start = "10,00"
price_per_million = { cache_hit = "1", cache_miss = "1", output = "1" }
"#), @r#"
    script cannot be read, line 2, column 10: `10,00` is not an amount: write a decimal number such as `10.00`, at most 900000 and with at most 12 decimals
      |
    2 | start = "10,00"
      |          ^^^^^
    "#);
}

#[test]
fn a_balance_without_prices_m9() {
    insta::assert_snapshot!(error(r#"[balance]
start = "10.00"
"#), @r#"
    script cannot be read, line 1, column 1: key `price_per_million` is missing: add it
      |
    1 | [balance]
      | ^^^^^^^^^
    "#);
}

#[test]
fn a_limit_by_balance_without_a_balance_m9() {
    insta::assert_snapshot!(error(r#"[limits]
concurrency = { by_balance = [{ from = "0", limit = 5 }] }
"#), @r#"
    script cannot be read, line 2, column 17: `by_balance` needs a balance: add `[balance]` with `start` and `price_per_million`
      |
    2 | concurrency = { by_balance = [{ from = "0", limit = 5 }] }
      |                 ^^^^^^^^^^
    "#);
}

#[test]
fn text_that_is_no_toml() {
    insta::assert_snapshot!(error(r#"[[rules]
name = "a"
"#), @r#"
    script cannot be read, line 1, column 9: unclosed array table, expected `]`
      |
    1 | [[rules]
      |         ^
    "#);
}

#[test]
fn a_string_that_does_not_end() {
    insta::assert_snapshot!(error(r#"[default]
reply = { text = "It’s week 12. }
"#), @r#"
    script cannot be read, line 2, column 34: unclosed inline table, expected `}`
      |
    2 | reply = { text = "It’s week 12. }
      |                                  ^
    "#);
}
