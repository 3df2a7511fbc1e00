//! Scripts that use every key, and what is said about wrong ones.

use std::time::Duration;

use super::*;

mod bad;
mod mutation;

#[test]
fn a_script_may_use_every_key() {
    let script = Script::from_toml(
        r#"
        [[rules]]
        name = "weeks"
        match = { contains = "week", model = "deepseek-flash", user_id = "u", nth = 3, header = { "X-A" = "b" } }
        times = 5
        chance = 0.5
        burst = 2
        reply = { text = "a", thinking = "b", finish = "length", tokens_per_chunk = 2, pieces = ["a"] }
        faults = ["too-busy-503", { id = "stall", after_events = 3 }]
        pace = { first_token = "1s", gap = "100ms", keep_alive = "5s" }
        sequence = [{ name = "first", times = 2, reply = { text = "b" }, faults = [], pace = "live-2026" }]
        then = "fall-through"
        [[rules]]
        choose = [{ weight = 0.5 }, { weight = 3 }]
        [default]
        reply = { text = "x" }
        [limits]
        concurrency = { by_balance = [{ from = "0", limit = 5 }] }
        [balance]
        start = "10.00"
        currency = "CNY"
        granted = "1"
        price_per_million = { cache_hit = "0.1", cache_miss = "1", output = "2" }
        "#,
    )
    .unwrap_or_else(|error| panic!("{error}"));

    let ids: Vec<_> = script.rules[0].faults.iter().map(Fault::id).collect();
    assert_eq!(ids, ["too-busy-503", "stall"]);
    assert_eq!(script.rules[0].pace.clone().unwrap().gap, Duration::from_millis(100).into());
}

#[test]
fn each_example_of_the_reference_can_be_played() {
    let reference = include_str!("../../../docs/SCRIPT.md");
    let examples: Vec<_> =
        reference.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();

    assert!(examples.len() >= 11, "{}", examples.len());
    for example in examples {
        Script::from_toml(example).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_reference_names_each_profile_and_each_latency_profile() {
    let reference = include_str!("../../../docs/SCRIPT.md");

    for name in Script::profiles().map(|(name, _)| name).chain(Pace::names()) {
        assert!(reference.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_the_nearest() {
    let error = Script::profile("mld").unwrap_err();

    insta::assert_snapshot!(error, @"profile `mld` does not exist, did you mean `mild`; there are balance-runs-dry, mild, outage-2026-09, storm");
}

#[test]
fn each_profile_says_where_its_numbers_come_from() {
    for (name, text) in Script::profiles() {
        assert!(Script::profile(name).is_ok());
        let sources = text.lines().filter(|line| line.trim_start().starts_with('#') && line.contains('#'));
        assert!(sources.clone().count() >= 3 && sources.clone().any(|line| line.contains('/')), "{name}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_script() {
    assert_eq!(Script::from_toml("\u{feff}[default]\n").unwrap(), Script::default());
}

#[test]
fn a_script_that_is_too_long_is_refused() {
    let error = Script::from_toml(&"#".repeat(SCRIPT_MAX + 1)).unwrap_err();

    assert!(error.to_string().contains("longer than 1048576 bytes"), "{error}");
}
