//! Scenarios in plain words.

use super::*;
use crate::{completions, library, parse, processes};

/// Puts a scenario with these tables into words.
fn told(tables: &str) -> Prose {
    let text = format!(
        "schema = 1\nname = \"n\"\nhypothesis = \"h\"\nneeds = [\"process\"]\nusers = [{{ name = \"ana\" }}]\n{tables}"
    );
    tell(&parse("s.toml", &text).unwrap_or_else(|error| panic!("{:?}", miette::Report::new(*error))))
}

/// Returns a text without what it quotes: our own words.
fn ours(text: &str) -> String {
    let mut kept = String::new();
    let (mut quotes, mut code) = (0_usize, false);
    for letter in text.chars() {
        match letter {
            '“' => {
                quotes += 1;
                kept.push('…');
            }
            '”' => quotes = quotes.saturating_sub(1),
            '`' if quotes == 0 => {
                code = !code;
                kept.push('…');
            }
            letter if quotes == 0 && !code => kept.push(letter),
            _ => {}
        }
    }
    kept
}

#[test]
fn every_step_and_expectation_of_every_scenario_is_a_sentence_s13() {
    let all =
        [library(), completions(), processes()].map(|read| read.expect("the library is valid")).concat();

    for scenario in all {
        let prose = tell(&scenario);

        let mut written = 0;
        count(&scenario.tables.steps, &mut written);
        assert!(prose.steps.len() >= written, "{}: {} of {written} steps", scenario.id, prose.steps.len());
        assert_eq!(prose.expectations.len(), scenario.tables.expect.len(), "{}", scenario.id);
        let expectations = prose.expectations.iter().map(|(_, text)| text);
        for text in prose.steps.iter().chain(&prose.model).chain(&prose.sabotages).chain(expectations) {
            let ours = ours(text);
            assert!(text.ends_with(['.', ':']), "{}: {text}", scenario.id);
            assert!(text.trim().chars().count() > 6, "{}: {text}", scenario.id);
            for sign in ["{", "}", "::", "Some(", "None", "\"", " ,"] {
                assert!(!ours.contains(sign), "{}: `{sign}` in {text}", scenario.id);
            }
        }
    }
}

fn count(steps: &[crate::model::Step], written: &mut usize) {
    for step in steps {
        *written += 1;
        if let crate::model::Step::Repeat { steps, .. } = step {
            count(steps, written);
        }
    }
}

#[test]
fn steps_are_told_as_what_people_do_s13() {
    let steps = told(
        r#"
        steps = [
            { connect = { device = "ana.phone", token = "worn out" } },
            { send = { device = "ana.phone", text = "Fruit {n}?", count = 25, over = "2 * llm.gap", mark = "flood" } },
            { await = { frame = { device = "ana", type = "done" }, count = "limits.messages.burst", within = "9s" } },
            { advance = { by = "conversation.idle + 1s" } },
            { http = { user = "ana", method = "PUT", path = "/api/x", body = { value = "12" }, at_once = 2, step = "write", save = { id = "/id" } } },
            { repeat = { times = 3, steps = [{ disconnect = { device = "ana.phone" } }] } },
            { send_raw = { device = "ana.phone", characters = 9000 } },
            { llm = { rules = [{ match = { contains = "fish" }, times = 2, faults = ["html-200"] }] } },
            { process = { do = "pause" } },
        ]
        "#,
    )
    .steps;

    insta::assert_snapshot!(steps.join("\n"), @r"
    ana’s phone connects with the token “worn out”.
    ana’s phone says “Fruit {n}?”, 25 times, each with its number, spread over `2 * llm.gap`; this moment is called `flood`.
    Wait for this, `limits.messages.burst` times, for 9s at most: the end of a turn for ana.
    Let `conversation.idle + 1s` pass.
    ana calls PUT `/api/x` with `value` = “12”, 2 at once; of the answer it keeps `/id` as `id`; this call is `write`.
    The following happens 3 times:
      ana’s phone hangs up.
    ana’s phone sends a message of 9000 characters.
    From here on the model does something else:
      Asked a question with “fish”, twice: the answer has a fault: A web page instead of an answer (`html-200`).
      Any other request is answered soundly.
    The target stands still, all its connections open.
    ");
}

#[test]
fn expectations_are_told_as_what_must_be_seen_s13() {
    let expectations = told(
        r#"
        steps = [{ send = { device = "ana.phone", text = "hi", mark = "asked" } }]
        [[expect]]
        id = "a"
        never = { on = { upstream = { contains = "cheese", ended = "client_hung_up" } }, after = "asked" }
        [[expect]]
        id = "b"
        sometimes = { on = { frame = { device = "ana.phone", code = "rate_limited", has = ["/retry_after_ms"] } }, at_least = 1, at_most = "limits.messages.burst" }
        [[expect]]
        id = "c"
        eventually = { on = { socket = { device = "ana.phone", closed = 1009 } }, after = "asked", within = "llm.total", not_before = "1s" }
        [[expect]]
        id = "d"
        always = { on = { http = { status = 200 } }, is = { http = { length = { "/items" = 2 } } }, at_least = 3 }
        [[sabotage]]
        name = "no limit"
        settings = { limits.messages.mode = "off" }
        caught_by = "b"
        "#,
    );

    let lines: Vec<_> = expectations.expectations.iter().map(|(id, text)| format!("{id}: {text}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    a: never after `asked`: a request to the model with “cheese” in its prompt, given up by the server.
    b: at least once and at most `limits.messages.burst` times: a frame for ana’s phone with the code `rate_limited` and a value at `/retry_after_ms`.
    c: within `llm.total` of `asked` and not before 1s: a connection of ana’s phone that the server closes with 1009.
    d: whenever there is an answer of the REST API with the status 200, it is an answer of the REST API with 2 entries at `/items`, and there are 3 at least.
    ");
    insta::assert_snapshot!(expectations.sabotages.join("\n"), @"no limit (`limits.messages.mode` = “off”): “b” must break.");
}
