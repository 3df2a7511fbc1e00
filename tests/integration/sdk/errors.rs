//! Refusals through the SDKs: which class they raise, what of the message arrives, which they try again, and when.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Sdk,
    calls::{Case, check, exchanges, says},
    program::TEXT,
};

/// Requests of a call that is tried again as often as the SDKs do it by default, and fails each time.
const TRIES: usize = 3;

/// Refusals that the SDKs take for passing. (409 is one more in both; DeepSeek never sends it, nor does the mock.)
const PASSING: [&str; 7] = [
    "concurrency-429",
    "connect-reset",
    "early-408",
    "html-500",
    "html-502",
    "retry-after-absent",
    "too-busy-503",
];

/// Refusals that the SDKs take for final.
const FINAL: [&str; 7] = [
    "auth-401-plain-text",
    "balance-402",
    "content-risk-400",
    "context-overflow-400",
    "html-413",
    "serde-400-json",
    "serde-422-text",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = refusals();
    cases.extend(faults());
    cases.extend(choices());
    cases.extend(retries());
    cases.extend(waits());
    cases
}

/// Writes a script that answers with this fault, so many times or always, and then well.
fn fails(fault: &str, times: Option<usize>) -> String {
    let times = times.map(|times| format!("times = {times}\n")).unwrap_or_default();
    format!("[[rules]]\n{times}faults = [{fault}]\n{}", says(""))
}

/// Writes a fault without parameters as a script has it.
fn plain(fault: &str) -> String {
    format!("\"{fault}\"")
}

/// What the mock refuses because of the request.
fn refusals() -> Vec<Case> {
    let ask = |name, arguments, error| Case::new(name, "ask", error).arguments(arguments);
    let invalid = |message: &str| json!(["BadRequestError", 400, "invalid_request_error", message]);
    let unknown = |message: &str| json!(["AuthenticationError", 401, "authentication_error", message]);
    vec![
        ask(
            "400: no such model",
            json!({"body": {"model": "gpt-9"}}),
            invalid(
                "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed gpt-9.",
            ),
        ),
        ask(
            "400: too many tokens",
            json!({"body": {"max_tokens": 400_000}}),
            invalid("Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"),
        ),
        ask(
            "401: no key, as text",
            json!({"headers": {"Authorization": null}}),
            json!(["AuthenticationError", 401, null, "Authentication Fails (governor)"]),
        ),
        ask(
            "401: a wrong key, as JSON",
            json!({"key": "wrong-key-cd15"}),
            unknown("Authentication Fails, Your api key: ****cd15 is invalid"),
        ),
    ]
}

/// The page of a proxy with this title.
fn page(title: &str, server: &str) -> String {
    format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n\
         <hr><center>{server}</center>\n</body>\n</html>"
    )
}

/// What a fault that is a refusal looks like: class, status, type and message.
fn error(fault: &str, sdk: Sdk) -> Value {
    // For statuses that have no class of their own, it is the one above.
    let above = if sdk == Sdk::Python { "APIStatusError" } else { "APIError" };
    let invalid = |message: &str| json!(["BadRequestError", 400, "invalid_request_error", message]);
    let limited = |message: &str| json!(["RateLimitError", 429, "rate_limit_error", message]);
    let failed = |status: u16, kind: Option<&str>, message: &str| {
        json!(["InternalServerError", status, kind, message])
    };
    let parser = "Failed to deserialize the JSON body into the target type: missing field `messages` at line 4 column 1";
    match fault {
        "auth-401-plain-text" => json!(["AuthenticationError", 401, null, "Authentication Fails (governor)"]),
        "balance-402" => json!([above, 402, "unknown_error", "Insufficient Balance"]),
        "concurrency-429" => limited(
            "Too many requests. Your current concurrency is 26, which exceeds your concurrency limit of 25 based on \
             your remaining balance. Please top up to increase your concurrency limit.",
        ),
        "connect-reset" => json!(["APIConnectionError"]),
        "content-risk-400" => invalid("Content Exists Risk"),
        "context-overflow-400" => invalid(
            "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in \
             the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
        ),
        "early-408" => json!([above, 408, null, "The operation was timeout."]),
        "html-413" => json!([above, 413, null, page("413 Request Entity Too Large", "nginx")]),
        "html-500" => failed(500, None, &page("500 Internal Server Error", "openresty")),
        "html-502" => failed(502, None, &page("502 Bad Gateway", "nginx")),
        "retry-after-absent" | "retry-after-long" => limited("Rate limit reached for requests"),
        "serde-400-json" => invalid(parser),
        "serde-422-text" => json!(["UnprocessableEntityError", 422, null, parser]),
        "too-busy-503" => failed(
            503,
            Some("service_unavailable_error"),
            "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.",
        ),
        _ => panic!("say what `{fault}` looks like"),
    }
}

/// A call that ends in the error of this fault.
fn failing(name: &str, call: &'static str, fault: &str) -> Case {
    Case::new(name, call, error(fault, Sdk::Python)).in_node(error(fault, Sdk::Node))
}

/// What the mock refuses because it was told to.
fn faults() -> Vec<Case> {
    let case =
        |fault: &str| failing(&format!("error: {fault}"), "ask", fault).script(fails(&plain(fault), None));
    PASSING.into_iter().chain(FINAL).map(case).collect()
}

/// How a client that only has names to choose chooses a fault, and who wins.
fn choices() -> Vec<Case> {
    let chosen = |name, arguments| failing(name, "ask", "balance-402").arguments(arguments);
    let key = "sk-test-of-the-sdks+balance-402";
    let none =
        json!({"headers": {"x-mock-fault": ""}, "body": {"model": "deepseek-flash+html-500"}, "key": key});
    vec![
        chosen("a fault by the model", json!({"body": {"model": "deepseek-flash+balance-402"}})),
        chosen("a fault by the key", json!({"key": key})),
        chosen("a fault by a header", json!({"headers": {"x-mock-fault": "balance-402"}})),
        chosen(
            "the model goes before the key",
            json!({"body": {"model": "deepseek-flash+balance-402"}, "key": "sk-test-of-the-sdks+html-500"}),
        ),
        Case::new("an empty header goes before both", "ask", json!(TEXT)).arguments(none),
    ]
}

/// What is tried again, and how often.
fn retries() -> Vec<Case> {
    let mut cases = Vec::new();
    for fault in PASSING {
        let once = Case::new(&format!("{fault}, then well"), "ask_again", json!(TEXT));
        cases.push(once.script(fails(&plain(fault), Some(1))).requests(2));
        let always = failing(&format!("always {fault}"), "ask_again", fault);
        cases.push(always.script(fails(&plain(fault), None)).requests(TRIES));
    }
    for fault in FINAL {
        let ends = failing(&format!("{fault} is final"), "ask_again", fault);
        cases.push(ends.script(fails(&plain(fault), Some(1))));
    }
    let silence = Case::new("silence", "ask_again", json!(["APITimeoutError"]))
        .in_node(json!(["APIConnectionTimeoutError"]))
        .arguments(json!({"timeout": 1}));
    cases.push(silence.script(fails(&plain("accept-no-answer"), None)).requests(TRIES));
    cases
}

/// How long is waited before the second try, and where nobody waits.
fn waits() -> Vec<Case> {
    let well =
        |name, fault| Case::new(name, "ask_again", json!(TEXT)).script(fails(fault, Some(1))).requests(2);
    let hour =
        failing("an hour's wait", "ask_for_a_while", "retry-after-long").in_node(json!("still waiting"));
    vec![
        well("a wait in seconds", "{ id = \"retry-after-ignored\", seconds = 2 }"),
        well("a wait until a date", "{ id = \"retry-after-date\", after = \"3s\" }"),
        hour.script(fails(&plain("retry-after-long"), Some(1))),
    ]
}

#[test]
fn openai_python_raises_the_right_class_and_tries_the_right_errors_again_m1() {
    check(Sdk::Python, &cases());
}

#[test]
fn openai_node_raises_the_right_class_and_tries_the_right_errors_again_m1() {
    check(Sdk::Node, &cases());
}

#[test]
fn a_retry_says_which_one_it_is_m1() {
    for sdk in [Sdk::Python, Sdk::Node] {
        let Some(exchanges) = exchanges(sdk, "always too-busy-503") else { continue };
        let counts = exchanges.iter().map(|exchange| {
            let header = exchange.headers.iter().find(|(name, _)| name == "x-stainless-retry-count");
            header.map_or("none", |(_, count)| count.as_str())
        });
        assert_eq!(counts.collect::<Vec<_>>(), ["0", "1", "2"], "{sdk}");
    }
}

#[test]
fn both_sdks_wait_as_long_as_they_are_told_m1() {
    for sdk in [Sdk::Python, Sdk::Node] {
        // A date has whole seconds, and so up to one less than was meant; unasked, nobody waits a second.
        for (name, wait) in [("a wait in seconds", 2), ("a wait until a date", 2)] {
            let Some(exchanges) = exchanges(sdk, name) else { continue };
            let waited = exchanges[1].at.since(exchanges[0].at);
            assert!(waited >= Duration::from_secs(wait), "{sdk}, {name}: {waited:?}");
        }
    }
}
