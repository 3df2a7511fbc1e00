//! Which rule answers: counters, sequences, weights, chance.

use std::collections::BTreeMap;

use super::*;
use crate::{
    api::Request,
    headers::{Credentials, Headers},
    request::ChatRequest,
};

const BODY: &str =
    r#"{"model":"deepseek-flash","user_id":"u1","messages":[{"role":"user","content":"which week"}]}"#;

fn selector(script: &str) -> Selector {
    seeded(Script::from_toml(script).unwrap_or_else(|error| panic!("{error}")), 1)
}

fn seeded(script: Script, seed: u64) -> Selector {
    Selector::new(script, seed, Arc::default())
}

fn choose(selector: &Selector) -> Choice {
    let chat: ChatRequest = serde_json::from_str(BODY).unwrap();
    let (headers, credentials) = (Headers::default(), Credentials::default());
    let request = Request::post("/chat/completions", (&headers, &credentials), BODY.as_bytes());
    selector.choose(&Facts::new(&chat, &request, "sk-test"))
}

/// The names of the rules that answer so many requests; `-` for the default.
fn names(selector: &Selector, requests: usize) -> String {
    let name = |_| choose(selector).rule.unwrap_or_else(|| "-".into());
    (0..requests).map(name).collect::<Vec<_>>().join(" ")
}

/// How often each name comes in so many requests.
fn shares(selector: &Selector, requests: usize) -> BTreeMap<Arc<str>, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..requests {
        *shares.entry(choose(selector).rule.unwrap_or_else(|| "-".into())).or_default() += 1;
    }
    shares
}

/// Four standard deviations around what is expected of so many throws.
#[track_caller]
fn assert_share(count: usize, share: f64, throws: u32) {
    let expected = share * f64::from(throws);
    let within = 4.0 * (expected * (1.0 - share)).sqrt();
    let count = f64::from(u32::try_from(count).unwrap());
    assert!((count - expected).abs() <= within, "{count} is not {expected} ± {within}");
}

#[test]
fn a_rule_answers_so_many_times_and_then_the_next_is_tried() {
    let selector = selector("[[rules]]\nname = \"a\"\ntimes = 2\n[[rules]]\nname = \"b\"\ntimes = 1\n");

    assert_eq!(names(&selector, 4), "a a b -");
    selector.reset();
    assert_eq!(names(&selector, 4), "a a b -");
}

#[test]
fn a_rule_without_a_name_is_called_by_its_position() {
    assert_eq!(names(&selector("[[rules]]\ntimes = 1\n[[rules]]\n"), 2), "rule 1 rule 2");
}

#[test]
fn a_rule_without_a_pace_takes_the_default_one() {
    let selector = selector("[[rules]]\n[default]\npace = { gap = \"5ms\" }\n");

    assert_eq!(choose(&selector).pacing.pace.gap, std::time::Duration::from_millis(5).into());
}

#[test]
fn a_sequence_ends_in_one_of_three_ways_m9() {
    let with = |then: &str| {
        selector(&format!(
            "[[rules]]\nname = \"s\"\nsequence = [{{ name = \"a\", times = 2 }}, {{}}]\n{then}\n"
        ))
    };

    assert_eq!(names(&with(""), 5), "s/a s/a s/2 s/2 s/2");
    assert_eq!(names(&with("then = \"repeat-last\""), 5), "s/a s/a s/2 s/2 s/2");
    assert_eq!(names(&with("then = \"fall-through\""), 5), "s/a s/a s/2 - -");
    assert_eq!(names(&with("then = \"start-over\""), 5), "s/a s/a s/2 s/a s/a");
    assert_eq!(names(&with("times = 4\nthen = \"start-over\""), 5), "s/a s/a s/2 s/a -");
}

#[test]
fn what_a_variant_leaves_out_is_as_the_rule_says() {
    let selector = selector(
        r#"
        [[rules]]
        reply = { text = "a" }
        faults = ["crlf"]
        pace = { gap = "1ms" }
        sequence = [{ faults = [] }, { reply = { text = "b" } }]
        "#,
    );

    let (first, second) = (choose(&selector), choose(&selector));

    assert_eq!((first.reply.text(), first.faults.len()), (Some("a"), 0));
    assert_eq!((second.reply.text(), second.faults[0].id()), (Some("b"), "crlf"));
    assert!(Arc::ptr_eq(&first.pacing.pace, &second.pacing.pace), "the pace is shared");
}

#[test]
fn weights_are_shares_and_the_same_seed_repeats_exactly_m9() {
    let script = r#"
        [[rules]]
        name = "r"
        choose = [{ name = "a", weight = 95 }, { name = "b", weight = 3 }, { name = "c", weight = 2 }, { name = "none", weight = 0 }]
    "#;

    let counts = shares(&selector(script), 10_000);

    assert_share(counts["r/a"], 0.95, 10_000);
    assert_share(counts["r/b"], 0.03, 10_000);
    assert_share(counts["r/c"], 0.02, 10_000);
    assert!(!counts.contains_key("r/none"));
    assert_eq!(names(&selector(script), 1000), names(&selector(script), 1000));
    let other = seeded(Script::from_toml(script).unwrap(), 2);
    assert_ne!(names(&selector(script), 1000), names(&other, 1000));
}

#[test]
fn a_chance_is_a_share_and_otherwise_the_next_rule_is_tried_m9() {
    let script = "[[rules]]\nname = \"a\"\nchance = 0.02\n[[rules]]\nname = \"b\"\nchance = 0.5\n";

    let counts = shares(&selector(script), 10_000);

    assert_share(counts["a"], 0.02, 10_000);
    assert_share(counts["b"], 0.98 * 0.5, 10_000);
    assert_eq!(names(&selector("[[rules]]\nchance = 0\n"), 3), "- - -");
    assert_eq!(names(&selector("[[rules]]\nchance = 1\n"), 2), "rule 1 rule 1");
}

#[test]
fn what_the_dice_gave_depends_on_the_number_of_the_request_only() {
    let one = "[[rules]]\nname = \"a\"\nchance = 0.3\n";
    let with_another_behind = [one, "[[rules]]\nname = \"b\"\nchance = 0.5\n"].concat();
    let of_the_first = |text: String| text.split(' ').map(|name| name == "a").collect::<Vec<_>>();

    let alone = of_the_first(names(&selector(one), 200));

    assert_eq!(alone, of_the_first(names(&selector(&with_another_behind), 200)));
}

#[test]
fn a_burst_comes_in_a_row_m9() {
    let text = names(&selector("[[rules]]\nname = \"x\"\nchance = 0.01\nburst = 5\n"), 10_000);

    let runs: Vec<_> =
        text.split('-').map(|run| run.split_whitespace().count()).filter(|&run| run > 0).collect();

    // Two bursts may follow each other directly.
    assert!(!runs.is_empty() && runs.iter().all(|run| run.is_multiple_of(5)), "{runs:?}");
    assert!((60..=140).contains(&runs.len()), "{runs:?}");
}

#[test]
fn a_rule_without_variants_answers_as_it_says_itself() {
    let rule = Rule { sequence: Some(Vec::new()), choose: Some(Vec::new()), ..Rule::default() };

    assert_eq!(names(&seeded(Script { rules: vec![rule], ..Script::default() }, 1), 2), "rule 1 rule 1");
}

#[test]
fn many_regular_expressions_are_tried_together_each_for_its_rule() {
    let rule = |pattern: &str| format!("[[rules]]\nname = '{pattern}'\nmatch = {{ regex = '{pattern}' }}\n");
    let unlike = "[[rules]]\nname = \"x\"\nmatch = { model = \"deepseek-chat\" }\n";

    let chosen =
        |patterns: [&str; 3]| names(&selector(&[unlike.to_owned(), patterns.map(rule).concat()].concat()), 1);

    assert_eq!(chosen(["^week", "week$", "w"]), "week$");
    assert_eq!(chosen(["day", "night", "(?i)WHICH"]), "(?i)WHICH");
    assert_eq!(chosen(["day", "night", "noon"]), "-");
}

#[test]
fn the_seed_of_a_pace_depends_on_seed_and_number_m8() {
    let seeds = |seed| {
        let selector = seeded(Script::default(), seed);
        (0..3).map(|_| choose(&selector).pacing.seed).collect::<Vec<_>>()
    };

    assert_eq!(seeds(1), seeds(1));
    assert!(seeds(1)[0] != seeds(1)[1] && seeds(1) != seeds(2));
}

#[test]
fn nothing_is_copied_for_a_request() {
    let selector = selector("[[rules]]\nfaults = [\"crlf\"]\nreply = { text = \"a\" }\n");

    let (one, other) = (choose(&selector), choose(&selector));

    assert!(Arc::ptr_eq(&one.reply, &other.reply) && Arc::ptr_eq(&one.faults, &other.faults));
    assert!(Arc::ptr_eq(&one.pacing.pace, &other.pacing.pace));
    assert!(Arc::ptr_eq(&one.rule.unwrap(), &other.rule.unwrap()));
}

fn profile(name: &str) -> Selector {
    seeded(Script::profile(name).unwrap(), 1)
}

#[test]
fn mild_weather_has_the_shares_that_were_seen_m9() {
    let counts = shares(&profile("mild"), 10_000);

    assert_share(counts["mild/bare-eof"], 0.002, 10_000);
    assert_share(counts["mild/stall"], 0.001, 10_000);
    assert_share(counts["mild/slow"], 0.02, 10_000);
    // Bursts of five: the bursts are the throws, one in a thousand requests.
    assert_share(counts["busy"] / 5, 0.001, 10_000);
    assert!(counts["mild/sound"] > 9_600, "{counts:?}");
}

#[test]
fn every_profile_can_be_played_and_repeats_with_its_seed_m9() {
    for (name, _) in Script::profiles() {
        assert_eq!(names(&profile(name), 10_000), names(&profile(name), 10_000), "{name}");
    }
}

#[test]
fn a_storm_and_an_outage_have_the_shares_that_their_files_name_m9() {
    let storm = shares(&profile("storm"), 10_000);
    // Bursts of ten take about 9 % of the requests (the bursts are the throws, hence the wide bounds); the
    // rest is chosen by weight.
    assert!((550..=1300).contains(&storm["busy"]), "{storm:?}");
    let rest = 10_000 - u32::try_from(storm["busy"]).unwrap();
    assert_share(storm["storm/reset"], 0.067, rest);
    assert_share(storm["storm/slow"], 0.07, rest);

    let outage = shares(&profile("outage-2026-09"), 10_000);
    assert_share(outage["outage/busy"], 0.6, 10_000);
    assert_share(outage["outage/silence"], 0.25, 10_000);
}
