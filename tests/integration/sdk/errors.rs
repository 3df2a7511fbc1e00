//! Refusals through the SDKs: which class they raise, what of the message arrives, which they try again.

use serde_json::{Value, json};

use super::{
    Sdk,
    calls::{Case, check, exchanges, says},
    program::TEXT,
};

/// Requests of a call that is tried again as often as the SDKs do it by default, and fails each time.
const TRIES: usize = 3;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = refusals();
    cases.extend(faults());
    cases.extend(choices());
    cases.extend(retries());
    cases
}

/// Writes a script whose first answers have this fault; for 0 all have it.
fn fails(fault: &str, times: usize) -> String {
    let times = if times == 0 { String::new() } else { format!("times = {times}\n") };
    format!("[[rules]]\n{times}faults = [\"{fault}\"]\n{}", says(""))
}

/// What the mock refuses because of the request.
fn refusals() -> Vec<Case> {
    let ask = |name, arguments, error| Case::new(name, "ask", error).arguments(arguments);
    let invalid = |message: &str| json!(["BadRequestError", 400, "invalid_request_error", message]);
    let unknown = |message: &str| json!(["AuthenticationError", 401, "authentication_error", message]);
    vec![
        ask("400: no such model", json!({"body": {"model": "gpt-9"}}), invalid("Model Not Exist")),
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

/// What a fault that is a refusal looks like.
fn error(fault: &str, sdk: Sdk) -> Value {
    let busy = "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.";
    let crowded = "Too many requests. Your current concurrency is 26, which exceeds your concurrency limit of 25 \
                   based on your remaining balance. Please top up to increase your concurrency limit.";
    let page = "<html>\n<head><title>500 Internal Server Error</title></head>\n<body>\n\
                <center><h1>500 Internal Server Error</h1></center>\n<hr><center>openresty</center>\n</body>\n</html>";
    // The SDKs have no class for 402: it is the one above.
    let above = if sdk == Sdk::Python { "APIStatusError" } else { "APIError" };
    match fault {
        "auth-401-plain-text" => json!(["AuthenticationError", 401, null, "Authentication Fails (governor)"]),
        "balance-402" => json!([above, 402, "unknown_error", "Insufficient Balance"]),
        "concurrency-429" => json!(["RateLimitError", 429, "rate_limit_error", crowded]),
        "html-500" => json!(["InternalServerError", 500, null, page]),
        "too-busy-503" => json!(["InternalServerError", 503, "service_unavailable_error", busy]),
        _ => panic!("say what `{fault}` looks like"),
    }
}

/// A call that ends in the error of this fault.
fn failing(name: &str, call: &'static str, fault: &str) -> Case {
    Case::new(name, call, error(fault, Sdk::Python)).in_node(error(fault, Sdk::Node))
}

/// What the mock refuses because it was told to.
fn faults() -> Vec<Case> {
    let refused = ["auth-401-plain-text", "balance-402", "concurrency-429", "html-500", "too-busy-503"];
    let case = |fault| failing(&format!("error: {fault}"), "ask", fault).script(fails(fault, 0));
    refused.map(case).into()
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

fn retries() -> Vec<Case> {
    let mut cases = Vec::new();
    for fault in ["concurrency-429", "html-500", "too-busy-503"] {
        let once = Case::new(&format!("{fault}, then well"), "ask_again", json!(TEXT));
        cases.push(once.script(fails(fault, 1)).requests(2));
        let always = failing(&format!("always {fault}"), "ask_again", fault);
        cases.push(always.script(fails(fault, 0)).requests(TRIES));
    }
    for fault in ["auth-401-plain-text", "balance-402"] {
        let ends = failing(&format!("{fault} is final"), "ask_again", fault);
        cases.push(ends.script(fails(fault, 1)));
    }
    let silence =
        Case::new("silence", "ask_again", json!(["APITimeoutError"])).arguments(json!({"timeout": 0.3}));
    cases.push(
        silence
            .in_node(json!(["APIConnectionTimeoutError"]))
            .script(fails("accept-no-answer", 0))
            .requests(TRIES),
    );
    cases
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
