//! Sound replies of every mode, to the byte, in both states of the API; each object has its schema.

use std::time::Duration;

use super::{
    observe::observe_api,
    schema::{self, Body},
};
use crate::{ApiProfile, Script};

const NOW: ApiProfile = ApiProfile::Current;
const OLD: ApiProfile = ApiProfile::Y2025;

const WEATHER: &str = r#"{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1,"maximum":7},"unit":{"enum":["c","f"]}},"required":["city"]}}}"#;

fn script(reply: &str) -> Script {
    Script::from_toml(&format!("[default]\nreply = {{ {reply} }}\n")).unwrap()
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n")
}

/// A chat request of this model; `extra` goes into the body.
fn chat(model: &str, extra: &str) -> String {
    let body = format!(
        r#"{{"model":"{model}","messages":[{{"role":"user","content":"Which json week am I in?"}}]{extra}}}"#
    );
    post("/chat/completions", &body)
}

/// Asks, checks all objects that come back, and returns what a socket saw.
fn told(api: ApiProfile, script: Script, request: &str) -> String {
    let seen = observe_api(api, script, request, Duration::from_secs(1)).seen;
    schema::check(&Body::of(&seen.bytes()));
    seen.full_story()
}

#[test]
fn a_tool_call_streamed_and_whole_m3() {
    let script =
        || script(r#"thinking = "Ask.", calls = [{ name = "weather", arguments = { city = "Ulm" } }]"#);
    let tools = format!(r#","tools":[{WEATHER}]"#);

    let streamed = chat("deepseek-flash", &format!(r#"{tools},"stream":true"#));

    insta::assert_snapshot!("tool_stream", told(NOW, script(), &streamed));
    insta::assert_snapshot!("tool_single", told(NOW, script(), &chat("deepseek-flash", &tools)));
}

#[test]
fn parallel_tool_calls_streamed_and_whole_m3() {
    let calls = r#"{ name = "weather", arguments = { city = "Ulm" } }, { name = "weather" }"#;
    let script = || script(&format!(r#"thinking = "", text = "Two.", calls = [{calls}]"#));
    let tools = format!(r#","tools":[{WEATHER}]"#);

    let streamed = chat("deepseek-flash", &format!(r#"{tools},"stream":true"#));

    insta::assert_snapshot!("parallel_tools_stream", told(NOW, script(), &streamed));
    insta::assert_snapshot!("parallel_tools_single", told(NOW, script(), &chat("deepseek-flash", &tools)));
}

#[test]
fn a_tool_that_is_demanded_is_called_without_a_script_m3() {
    let extra = format!(r#","tools":[{WEATHER}],"tool_choice":"required","thinking":{{"type":"disabled"}}"#);

    insta::assert_snapshot!("tool_demanded", told(NOW, Script::default(), &chat("deepseek-flash", &extra)));
}

#[test]
fn json_mode_without_a_script_m3() {
    let extra = r#","response_format":{"type":"json_object"},"thinking":{"type":"disabled"}"#;

    insta::assert_snapshot!("json_mode", told(NOW, Script::default(), &chat("deepseek-flash", extra)));
}

#[test]
fn probabilities_streamed_and_whole_m3() {
    let script = || script(r#"thinking = "A week", text = "It’s 12.", tokens_per_chunk = 2"#);

    let streamed = chat("deepseek-flash", r#","logprobs":true,"top_logprobs":2,"stream":true"#);
    let whole = chat("deepseek-flash", r#","logprobs":true"#);

    insta::assert_snapshot!("logprobs_stream", told(NOW, script(), &streamed));
    insta::assert_snapshot!("logprobs_single", told(NOW, script(), &whole));
}

#[test]
fn a_prefix_is_continued_and_not_said_again_m3() {
    let body = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"Which week?"},{"role":"assistant","content":"You are","prefix":true}],"thinking":{"type":"disabled"}}"#;
    let script = script(r#"text = "You are in week 12.""#);

    insta::assert_snapshot!("prefix", told(NOW, script, &post("/beta/chat/completions", body)));
}

#[test]
fn a_gap_is_filled_streamed_and_whole_m3() {
    let script = || script(r#"text = "  1 + 1""#);
    let body = |extra: &str| {
        let body = format!(r#"{{"model":"deepseek-flash","prompt":"fn a() {{","suffix":"}}"{extra}}}"#);
        post("/beta/completions", &body)
    };
    let streamed = body(r#","stream":true,"stream_options":{"include_usage":true},"echo":true,"logprobs":1"#);

    insta::assert_snapshot!("fim_stream", told(NOW, script(), &streamed));
    insta::assert_snapshot!("fim_single", told(NOW, script(), &body("")));
}

#[test]
fn the_usage_of_2025_comes_apart_if_it_is_asked_for_m3() {
    let script = || script(r#"text = "Yes.""#);
    let asked = r#","stream":true,"stream_options":{"include_usage":true}"#;

    insta::assert_snapshot!("usage_apart_2025", told(OLD, script(), &chat("deepseek-chat", asked)));
    insta::assert_snapshot!(
        "usage_unasked_2025",
        told(OLD, script(), &chat("deepseek-chat", r#","stream":true"#))
    );
}

#[test]
fn the_reasoner_of_2025_always_thinks_m3() {
    let script = script(r#"text = "Yes.""#);
    let extra = r#","thinking":{"type":"disabled"}"#;

    insta::assert_snapshot!("reasoner_2025", told(OLD, script, &chat("deepseek-reasoner", extra)));
}

#[test]
fn small_endpoints_and_errors_of_both_states_m3() {
    let ask = |api, request: &str| {
        let seen = observe_api(api, Script::default(), request, Duration::from_secs(1)).seen;
        let body = Body::of(&seen.bytes());
        schema::check(&body);
        format!("{} {}", body.status, body.text)
    };
    let missing = post("/v1/chat/completions", r#"{"model":"x"}"#);
    let requests =
        [get("/v1/models"), get("/user/balance"), missing, chat("gpt", ""), post("/completions", "{}")];

    let told = |api| requests.iter().map(|request| ask(api, request)).collect::<Vec<_>>().join("\n");

    insta::assert_snapshot!("small_current", told(NOW));
    insta::assert_snapshot!("small_2025", told(OLD));
}
