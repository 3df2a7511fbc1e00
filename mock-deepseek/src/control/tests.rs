//! The control API as a client meets it, and its description compared with it.

use std::collections::BTreeSet;

use ::clock::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{Expectation, MockDeepSeek, Script};

/// A mock with its control API, and a client of both.
struct Stage {
    mock: MockDeepSeek,
    client: Client,
    control: String,
}

impl Stage {
    async fn new() -> Self {
        Self::with(MockDeepSeek::builder()).await
    }

    async fn with(builder: crate::Builder) -> Self {
        let mock = builder.control(([127, 0, 0, 1], 0).into()).start().await.unwrap();
        let control = mock.control_url().unwrap();
        Self { mock, client: Client::builder().no_proxy().build().unwrap(), control }
    }

    async fn call(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
        let url = format!("{}{path}", self.control);
        let answer = self.client.request(method, url).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, "").await
    }

    /// Asks the model something and reads the answer to its end.
    async fn ask(&self, text: &str) -> StatusCode {
        let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": text}]});
        let url = format!("{}/chat/completions", self.mock.url());
        let answer = self.client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap();
        let status = answer.status();
        // A fault may have cut it; what was asked counts here.
        drop(answer.bytes().await);
        status
    }
}

#[tokio::test]
async fn a_bad_script_is_refused_with_line_and_caret_and_the_old_one_stays_m11() {
    let stage = Stage::new().await;
    let good = "[[rules]]\nname = \"weeks\"\n";

    assert_eq!(stage.call(Method::PUT, "/__mock/script", good).await.0, 200);
    let (status, refusal) = stage.call(Method::PUT, "/__mock/script", "[[rules]]\nnmae = \"x\"\n").await;

    let message = refusal["error"]["message"].as_str().unwrap();
    assert_eq!((status, &refusal["error"]["code"]), (422, &json!("bad_script")));
    assert!(message.contains("line 2") && message.contains('^') && message.contains("nmae"), "{message}");
    assert_eq!(stage.get("/__mock/script").await, (200, json!(good)));
    stage.ask("hi").await;
    assert_eq!(stage.get("/__mock/journal").await.1["exchanges"][0]["rule"], "weeks");
}

#[tokio::test]
async fn a_script_that_was_set_as_values_has_no_text_m11() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("/__mock/script").await, (200, json!("")));

    stage.mock.set_script(Script::default());

    assert_eq!(stage.get("/__mock/script").await.1["error"]["code"], "script_without_text");
}

#[tokio::test]
async fn ordered_faults_hit_every_request_until_they_are_withdrawn_m11() {
    let stage = Stage::new().await;

    let ordered = stage.call(Method::PUT, "/__mock/fault", "too-busy-503").await;
    assert_eq!(ordered, (200, json!({"faults": ["too-busy-503"]})));
    assert_eq!(stage.ask("hi").await, 503);
    let as_json = r#"{"faults": [{"id": "stall", "after_events": 3, "lasts": "0s"}, "balance-402"]}"#;
    assert_eq!(stage.call(Method::PUT, "/__mock/fault", as_json).await.0, 200);
    assert_eq!(stage.ask("hi").await, 402);
    stage.call(Method::DELETE, "/__mock/fault", "").await;

    assert_eq!(stage.ask("hi").await, 200);
}

#[tokio::test]
async fn what_a_request_names_itself_goes_before_what_was_ordered_m10() {
    let stage = Stage::new().await;
    stage.call(Method::PUT, "/__mock/fault", "too-busy-503").await;
    let body =
        json!({"model": "deepseek-flash+balance-402", "messages": [{"role": "user", "content": "hi"}]});
    let url = format!("{}/chat/completions", stage.mock.url());
    let request = || stage.client.post(&url).bearer_auth("sk-test").json(&body);

    assert_eq!(request().send().await.unwrap().status(), 402);
    assert_eq!(request().header("x-mock-fault", "").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_fault_that_cannot_happen_here_is_not_ordered_m11() {
    let stage = Stage::new().await;

    let (status, needs) = stage.call(Method::PUT, "/__mock/fault", "tls-handshake-stall").await;
    assert_eq!((status, &needs["error"]["code"]), (409, &json!("needs_tls")));
    let (status, outside) = stage.call(Method::PUT, "/__mock/fault", "dns-failure").await;
    assert_eq!((status, &outside["error"]["code"]), (422, &json!("bad_fault")));

    assert_eq!(stage.get("/__mock/status").await.1["faults"], Value::Null);
}

#[tokio::test]
async fn what_was_asked_counts_whatever_its_form_m11() {
    let stage = Stage::new().await;
    let forms = [
        ("/chat/completions", json!({"messages": [{"role": "user", "content": "week"}]})),
        ("/beta/completions", json!({"prompt": "week"})),
        (
            "/anthropic/v1/messages",
            json!({"max_tokens": 9, "messages": [{"role": "user", "content": "week"}]}),
        ),
        ("/v1/responses", json!({"input": "week"})),
    ];
    for (path, mut body) in forms {
        body["model"] = json!("deepseek-flash");
        let url = format!("{}{path}", stage.mock.url());
        let answer = stage.client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }

    let expectation = Expectation::requests(4).containing("week").model("deepseek-flash");

    assert_eq!(expectation.verify(&stage.mock.a_control().shared.journal), Ok(4));
}

#[tokio::test]
async fn a_fault_that_does_not_exist_is_named_with_the_nearest_m11() {
    let stage = Stage::new().await;

    for body in ["stal", r#"{"faults": ["stal"]}"#] {
        let (status, refusal) = stage.call(Method::PUT, "/__mock/fault", body).await;

        let message = refusal["error"]["message"].as_str().unwrap();
        assert!(status == 422 && message.contains("did you mean `stall`"), "{message}");
    }
}

#[tokio::test]
async fn the_journal_tells_what_was_asked_written_and_how_it_ended_m11() {
    let stage = Stage::new().await;
    stage.call(Method::PUT, "/__mock/fault", "html-200").await;
    stage.ask("which week?").await;

    let (status, exchange) = stage.get("/__mock/journal/1").await;

    assert_eq!(status, 200);
    assert_eq!(exchange["faults"], json!([{"id": "html-200", "fired": true}]));
    assert_eq!((&exchange["status"], &exchange["end"]), (&json!(200), &json!("completed")));
    assert!(exchange["request"]["body"]["text"].as_str().unwrap().contains("which week?"));
    assert!(exchange["writes"][0]["text"].as_str().unwrap().starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(!exchange.to_string().contains("sk-test"), "the key is in the journal");
}

#[tokio::test]
async fn bytes_that_are_no_text_come_in_base_64_m11() {
    let stage = Stage::new().await;
    let url = format!("{}/models", stage.mock.url());
    stage.client.post(url).bearer_auth("sk-test").body(vec![0xff, 0xfe]).send().await.unwrap();

    let (_, exchange) = stage.get("/__mock/journal/1").await;

    assert_eq!(exchange["request"]["body"], json!({"base64": "//4="}));
}

#[tokio::test]
async fn the_journal_is_filtered_and_read_on_m11() {
    let stage = Stage::new().await;
    for text in ["one", "two", "three"] {
        stage.ask(text).await;
    }
    let numbers = |list: &Value| -> Vec<u64> {
        list["exchanges"].as_array().unwrap().iter().map(|entry| entry["number"].as_u64().unwrap()).collect()
    };

    assert_eq!(numbers(&stage.get("/__mock/journal?limit=2").await.1), [2, 3]);
    let (_, first) = stage.get("/__mock/journal?since=0&limit=2").await;
    assert_eq!((numbers(&first), &first["next_since"]), (vec![1, 2], &json!(2)));
    assert_eq!(numbers(&stage.get("/__mock/journal?since=2").await.1), [3]);
    assert!(numbers(&stage.get("/__mock/journal?fault=stall").await.1).is_empty());
    assert!(numbers(&stage.get("/__mock/journal?path=/models").await.1).is_empty());
    let detail = stage.get("/__mock/journal?detail=true&limit=1").await.1;
    assert!(detail["exchanges"][0]["request"]["body"]["text"].as_str().unwrap().contains("three"));
}

#[tokio::test]
async fn a_filter_that_does_not_exist_is_refused_with_those_that_do_m11() {
    let stage = Stage::new().await;

    let (status, refusal) = stage.get("/__mock/journal?sinc=1").await;

    assert_eq!(status, 422);
    assert!(refusal["error"]["message"].as_str().unwrap().contains("sinc"), "{refusal}");
    assert!(refusal["error"]["hint"].as_str().unwrap().contains("`since`"), "{refusal}");
    assert_eq!(stage.get("/__mock/journal?fault=stal").await.0, 422);
}

#[tokio::test]
async fn verify_names_what_was_expected_and_what_arrived_m11() {
    let stage = Stage::new().await;
    stage.ask("which week?").await;
    stage.ask("which day?").await;
    let verify =
        async |expectation: Value| stage.call(Method::POST, "/__mock/verify", expectation.to_string()).await;

    let held = verify(json!({"requests": 1, "match": {"contains": "week"}})).await;
    let (status, unmet) = verify(json!({"requests": 2, "match": {"contains": "week"}})).await;

    assert_eq!(held, (200, json!({"held": true, "requests": 1})));
    assert_eq!((status, &unmet["expected"]), (409, &json!("2 chat requests that contain `week`")));
    assert_eq!((unmet["got"].as_array().unwrap().len(), unmet["others"].as_array().unwrap().len()), (1, 1));
    assert!(
        unmet["error"]["message"].as_str().unwrap().starts_with("mock expected 2 chat requests"),
        "{unmet}"
    );
    assert_eq!(verify(json!({"request": 2})).await.0, 422);
}

#[tokio::test]
async fn the_library_expects_what_the_control_api_expects_m12() {
    let stage = Stage::new().await;
    stage.mock.expect_that(Expectation::requests(1).containing("week").model("deepseek-flash"));
    stage.mock.expect_that(Expectation::requests(..=2).fault("stall"));

    assert!(stage.mock.verify().unwrap_err().to_string().starts_with(
        "mock expected 1 chat requests that contain `week`, for the model `deepseek-flash` and got 0"
    ));
    stage.ask("which week?").await;

    assert_eq!(stage.mock.verify(), Ok(()));
}

#[tokio::test]
async fn each_part_of_an_expectation_tells_requests_apart_m11() {
    let stage = Stage::new().await;
    let body = json!({
        "model": "deepseek-flash", "user_id": "ana", "messages": [{"role": "user", "content": "which week?"}],
    });
    let url = format!("{}/chat/completions?x=1", stage.mock.url());
    let request = stage.client.post(url).bearer_auth("sk-test").header("X-Team", "blue").json(&body);
    request.header("x-mock-fault", "crlf").send().await.unwrap();
    let one = |part: &Expectation| part.verify(&stage.mock.a_control().shared.journal).is_ok();

    for (right, wrong) in [
        (Expectation::requests(1).path("/chat/completions"), Expectation::requests(1).path("/models")),
        (Expectation::requests(1).containing("week"), Expectation::requests(1).containing("day")),
        (Expectation::requests(1).model("deepseek-flash"), Expectation::requests(1).model("deepseek-chat")),
        (Expectation::requests(1).user_id("ana"), Expectation::requests(1).user_id("bea")),
        (Expectation::requests(1).header("x-team", "blue"), Expectation::requests(1).header("x-team", "red")),
        (Expectation::requests(0).fault("crlf"), Expectation::requests(1).fault("crlf")),
        (Expectation::requests(0).rule("a"), Expectation::requests(1).rule("a")),
    ] {
        assert!(one(&right), "{right}");
        assert!(!one(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn reset_forgets_everything_but_the_script_m11() {
    let stage = Stage::new().await;
    stage.call(Method::PUT, "/__mock/script", "[[rules]]\nname = \"once\"\ntimes = 1\n").await;
    stage.call(Method::PUT, "/__mock/fault", "too-busy-503").await;
    stage.ask("hi").await;

    assert_eq!(stage.call(Method::POST, "/__mock/reset", "").await.0, 200);
    assert_eq!(stage.ask("hi").await, 200);

    let (_, journal) = stage.get("/__mock/journal").await;
    let rules: Vec<_> = journal["exchanges"].as_array().unwrap().iter().map(|entry| &entry["rule"]).collect();
    assert_eq!(rules, [&json!("once")]);
    assert_eq!(stage.call(Method::DELETE, "/__mock/journal", "").await.1, json!({"forgotten": 1}));
}

#[tokio::test]
async fn the_live_journal_tells_what_was_and_what_comes_m11() {
    let stage = Stage::new().await;
    stage.ask("before").await;
    let url = format!("{}/__mock/journal/stream", stage.control);
    let mut stream = stage.client.get(url).send().await.unwrap();
    stage.ask("after").await;

    let mut seen = String::new();
    while !(seen.contains(r#""number":2"#) && seen.matches(r#""end":"completed""#).count() == 2) {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }

    assert!(seen.starts_with("event: hello\n"), "{seen}");
    assert!(seen.contains(r#""number":1"#), "{seen}");
    stage.mock.reset();
    while !seen.contains("event: forgotten\n") {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
}

#[test]
fn a_clock_that_stands_still_is_advanced_from_sleeper_to_sleeper_m11() {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let stage = Stage::with(MockDeepSeek::builder().lab(&lab)).await;
        assert_eq!(stage.call(Method::PUT, "/__mock/fault", "slow-first-token;lasts=8s").await.0, 200);
        let (asked, moved) = tokio::join!(stage.ask("hi"), async {
            // The request must be there before time moves.
            while stage.get("/__mock/journal").await.1["exchanges"].as_array().unwrap().is_empty() {}
            stage.call(Method::POST, "/__mock/clock", r#"{"advance": "10s"}"#).await
        });

        assert_eq!((asked.as_u16(), moved.0), (200, 200));
        assert_eq!(moved.1["now_ms"], 10_000.0);
        assert_eq!(stage.get("/__mock/journal/1").await.1["ms"], 8_000.0);
        let refused = stage.call(Method::POST, "/__mock/clock", r#"{"advance": "25h"}"#).await;
        assert_eq!((refused.0, &refused.1["error"]["code"]), (422, &json!("bad_advance")));
    });
}

#[tokio::test]
async fn the_clock_of_the_system_cannot_be_advanced_m11() {
    let stage = Stage::new().await;

    let (status, refusal) = stage.call(Method::POST, "/__mock/clock", r#"{"advance": "8s"}"#).await;

    assert_eq!((status, &refusal["error"]["code"]), (409, &json!("clock_moves_by_itself")));
    assert_eq!(stage.get("/__mock/clock").await.1["clock"], "system");
}

#[tokio::test]
async fn a_path_or_a_method_that_does_not_exist_names_the_nearest_m11() {
    let stage = Stage::new().await;

    let (status, path) = stage.get("/__mock/jurnal").await;
    assert_eq!((status, &path["error"]["code"]), (404, &json!("unknown_path")));
    assert!(path["error"]["hint"].as_str().unwrap().contains("`/__mock/journal`"), "{path}");
    let (status, method) = stage.call(Method::POST, "/__mock/script", "").await;
    assert_eq!((status, &method["error"]["hint"]), (405, &json!("use `GET` or `PUT`")));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_the_same_form_m11() {
    let stage = Stage::new().await;

    let (status, refusal) = stage.call(Method::PUT, "/__mock/script", vec![b'#'; CONTROL_BODY_MAX + 1]).await;

    assert_eq!((status, &refusal["error"]["code"]), (413, &json!("bad_body")));
}

#[tokio::test]
async fn a_fault_is_shown_with_its_bytes_and_sources_m11() {
    let stage = Stage::new().await;

    let (_, list) = stage.get("/__mock/faults").await;
    let (_, fault) = stage.get("/__mock/faults/stall;lasts=8s").await;

    assert_eq!(list["faults"].as_array().unwrap().len(), crate::catalogue().iter().count());
    assert!(fault["bytes"].as_str().unwrap().contains("-- pause"), "{fault}");
    assert!(!fault["sources"].as_array().unwrap().is_empty());
    assert_eq!(stage.get("/__mock/faults/stal").await.0, 404);
}

#[tokio::test]
async fn metrics_count_what_happened_m16() {
    let stage = Stage::new().await;
    stage.ask("hi").await;
    stage.call(Method::PUT, "/__mock/fault", "too-busy-503").await;
    stage.ask("hi").await;
    stage.call(Method::PUT, "/__mock/script", "nonsense").await;

    let (_, text) = stage.get("/__mock/metrics").await;

    let text = text.as_str().unwrap();
    for line in [
        r#"mock_requests_total{route="chat",class="2xx"} 1"#,
        r#"mock_requests_total{route="chat",class="5xx"} 1"#,
        r#"mock_exchanges_ended_total{end="completed"} 2"#,
        r#"mock_faults_fired_total{fault="too-busy-503"} 1"#,
        r#"mock_script_loads_total{outcome="refused"} 1"#,
        "mock_exchanges_open 0",
        "mock_journal_exchanges 2",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn status_tells_where_everything_is_m11() {
    let stage = Stage::new().await;

    let (_, status) = stage.get("/__mock/status").await;

    assert_eq!(status["api"], stage.mock.url());
    assert_eq!(status["control"], stage.control);
    assert_eq!((&status["faults"], &status["clock"]), (&Value::Null, &json!("system")));
    assert_eq!(stage.get("/__mock/health").await, (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn both_ports_show_the_page_with_the_real_addresses_m17() {
    let stage = Stage::new().await;

    for url in [stage.mock.url(), stage.control.clone()] {
        let answer = stage.client.get(&url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        let page = answer.text().await.unwrap();
        assert!(page.contains(&stage.mock.url()) && page.contains(&stage.control), "{url}");
    }
}

fn description() -> Value {
    serde_json::from_str(include_str!("openapi.json")).unwrap()
}

#[test]
fn the_description_has_exactly_the_routes_that_there_are_m11() {
    let described: BTreeSet<_> = description()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let routes = ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(|method| ((*path).to_owned(), method.to_string())));

    assert_eq!(described, routes.collect());
}

#[tokio::test]
async fn every_route_has_exactly_its_methods_m11() {
    let stage = Stage::new().await;

    for (path, methods) in ROUTES {
        let path = path.replace("{number}", "1").replace("{id}", "stall");
        for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
            let url = format!("{}{path}", stage.control);
            let status = stage.client.request(method.clone(), url).send().await.unwrap().status();
            assert_eq!(
                status == StatusCode::METHOD_NOT_ALLOWED,
                !methods.contains(&method),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_reference_in_the_description_leads_somewhere_m11() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);

    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn answers_have_the_fields_that_the_description_requires_m11() {
    let stage = Stage::new().await;
    stage.ask("hi").await;
    let description = description();
    let required = |schema: &str| {
        let part = description.pointer(&format!("/components/schemas/{schema}/required")).unwrap();
        part.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();

    assert_eq!(fields(&stage.get("/__mock/status").await.1), required("Status"));
    assert_eq!(fields(&stage.get("/__mock/clock").await.1), required("Clock"));
    assert_eq!(fields(&stage.get("/__mock/journal").await.1["exchanges"][0]), required("Summary"));
    assert_eq!(fields(&stage.get("/__mock/faults").await.1["faults"][0]), required("FaultEntry"));
    assert_eq!(fields(&stage.get("/__mock/nothing").await.1), required("Refusal"));
}

#[test]
fn stopping_in_order_lets_an_answer_end_and_cuts_what_takes_too_long_m16() {
    for (within, cut) in [(Duration::from_secs(20), 0), (Duration::from_secs(2), 1)] {
        let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
        runtime.block_on(async {
            let stage = Stage::with(MockDeepSeek::builder().lab(&lab)).await;
            assert_eq!(stage.call(Method::PUT, "/__mock/fault", "slow-first-token;lasts=8s").await.0, 200);
            let Stage { mock, client, .. } = stage;
            let url = format!("{}/chat/completions", mock.url());
            let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": "hi"}]});
            let asked = tokio::spawn(async move {
                let answer = client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap();
                // The head comes at once; whether the answer ends is told by its body.
                answer.bytes().await.is_ok()
            });
            while mock.journal().is_empty() {
                tokio::task::yield_now().await;
            }
            let address = mock.address();
            let stopped = tokio::spawn(mock.finish(within));
            lab.settled().await.unwrap();
            assert!(TcpStream::connect(address).await.is_err(), "a connection was accepted");
            lab.advance(Duration::from_secs(10)).await.unwrap();

            assert_eq!(stopped.await.unwrap(), cut);
            assert_eq!(asked.await.unwrap(), cut == 0);
        });
    }
}
