//! Each condition beside one that differs by a little and does not hold.

use serde_json::json;

use super::*;
use crate::{
    Script,
    api::Request,
    facts::Facts,
    headers::{Credentials, Headers},
    request::ChatRequest,
};

/// Says whether `match = { … }` holds for the sample request.
fn holds(condition: &str) -> bool {
    let script = Script::from_toml(&format!("[[rules]]\nmatch = {{ {condition} }}\n"));
    let script = script.unwrap_or_else(|error| panic!("{error}"));
    let body = json!({
        "model": "deepseek-flash+crlf", "user_id": "u1", "stream": true, "temperature": 1.0,
        "messages": [
            {"role": "system", "content": "You are a midwife."},
            {"role": "user", "content": "which day"},
            {"role": "assistant", "content": "Monday, week 3"},
            {"role": "user", "content": [{"type": "text", "text": "Which "}, {"type": "text", "text": "week?"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "lookup", "a/b": {"c~d": 1}}}],
    })
    .to_string();
    let chat: ChatRequest = serde_json::from_str(&body).unwrap();
    let (mut headers, mut credentials) = (Headers::default(), Credentials::default());
    headers.push("x-a", b"b", &mut credentials);
    let request = Request::post("/beta/chat/completions?x=1", (&headers, &credentials), body.as_bytes());
    let request = Request { socket_nth: 2, ..request };
    let conditions = script.rules[0].matches.clone().compile(&mut Patterns::default());
    let facts = Facts::new(&chat, &request, "sk-alice-cd15+bom");
    conditions.iter().all(|condition| condition.holds(5, &facts))
}

/// Each line holds; with the word before `|` put in place of the one behind, it does not.
#[track_caller]
fn table(cases: &[(&str, &str)]) {
    for (good, bad) in cases {
        assert!(holds(good), "{good} does not hold");
        assert!(!holds(bad), "{bad} holds");
    }
}

#[test]
fn the_last_user_text_can_be_looked_at_in_three_ways_m10() {
    table(&[
        ("contains = \"week\"", "contains = \"day\""),
        ("equals = \"Which week?\"", "equals = \"Which week\""),
        ("regex = '^(?i)which \\w+\\?$'", "regex = '^week'"),
    ]);
}

#[test]
fn other_messages_can_be_looked_at_m10() {
    table(&[
        ("system = { contains = \"midwife\" }", "system = \"midwife\""),
        ("system = \"You are a midwife.\"", "system = { exists = false }"),
        ("any_message = { contains = \"day\" }", "any_message = { contains = \"night\" }"),
        (
            "any_message = { role = \"assistant\", regex = 'week \\d' }",
            "any_message = { role = \"user\", regex = 'week \\d' }",
        ),
        ("any_message = { equals = \"Which week?\" }", "any_message = { role = \"tool\" }"),
    ]);
}

#[test]
fn messages_can_be_counted_by_role_m10() {
    table(&[
        ("messages = { user = 2, assistant = 1 }", "messages = { user = 1 }"),
        ("messages = { total = { at_least = 4 } }", "messages = { total = { at_least = 5 } }"),
        ("messages = { tool = 0, system = { at_most = 1 } }", "messages = { tool = { at_least = 1 } }"),
    ]);
}

#[test]
fn who_asks_and_for_what_can_be_looked_at_m10() {
    table(&[
        ("model = \"deepseek-flash\"", "model = \"deepseek-chat\""),
        ("model = { ends_with = \"flash\" }", "model = { regex = \"pro$\" }"),
        ("user_id = \"u1\"", "user_id = { exists = false }"),
        ("key = \"cd15\"", "key = \"cd16\""),
        ("key = { equals = \"sk-alice-cd15\" }", "key = { equals = \"alice\" }"),
        ("header = { X-A = \"b\" }", "header = { X-A = \"c\" }"),
        ("header = { X-B = { exists = false } }", "header = { X-B = { exists = true } }"),
        ("stream = true", "stream = false"),
        ("path = \"/beta/chat/completions\"", "path = \"/chat/completions\""),
        ("surface = \"chat\"", "surface = \"anthropic\""),
    ]);
}

#[test]
fn requests_can_be_counted_on_the_whole_and_on_their_connection_m9() {
    table(&[
        ("nth = 5", "nth = 4"),
        ("nth = { every = 5 }", "nth = { every = 3 }"),
        ("nth = { at_least = 3, every = 2 }", "nth = { at_least = 2, every = 2 }"),
        ("nth = { at_least = 5, at_most = 5 }", "nth = { at_most = 4 }"),
        ("socket_nth = 2", "socket_nth = 1"),
        ("socket_nth = { at_least = 2 }", "socket_nth = { at_least = 3 }"),
    ]);
}

#[test]
fn any_place_of_the_body_can_be_looked_at_m10() {
    table(&[
        (
            "json = { \"/tools/0/function/name\" = \"lookup\" }",
            "json = { \"/tools/1/function/name\" = \"lookup\" }",
        ),
        ("json = { \"/temperature\" = 1 }", "json = { \"/temperature\" = \"1\" }"),
        ("json = { \"/tools\" = { exists = true } }", "json = { \"/tools\" = { exists = false } }"),
        ("json = { \"/tool_choice\" = { exists = false } }", "json = { \"/tool_choice\" = \"none\" }"),
        (
            "json = { \"/tools/0/function/a~1b/c~0d\" = 1 }",
            "json = { \"/tools/00/function/name\" = \"lookup\" }",
        ),
        (
            "json = { \"/messages/0/content\" = { contains = \"mid\" } }",
            "json = { \"/messages/0/content\" = { contains = \"Mid\" } }",
        ),
        (
            "json = { \"/tools/0\" = { contains = \"type\" } }",
            "json = { \"/tools\" = { contains = \"type\" } }",
        ),
        ("json = { \"/user_id\" = { regex = '^u\\d$' } }", "json = { \"/temperature\" = { regex = '1' } }"),
        ("json = { \"\" = { contains = \"model\" } }", "json = { \"\" = 1 }"),
        (
            "json = { \"/messages/3/content/0\" = { equals = { type = \"text\", text = \"Which \" } } }",
            "json = { \"/messages/3/content\" = [] }",
        ),
    ]);
}

#[test]
fn all_conditions_must_hold_m10() {
    table(&[("user_id = \"u1\", nth = 5, stream = true", "user_id = \"u1\", nth = 5, stream = false")]);
}

#[test]
fn a_pointer_is_written_as_it_was_read() {
    for text in ["", "/", "/a/0/b~1c~0d", "/tools/-"] {
        assert_eq!(Pointer::new(text).unwrap().to_string(), text);
    }
}
