//! What is expected of the requests, over the control API and by the library.

use axum::http::Method;
use serde_json::{Value, json};

use super::Stage;
use crate::Expectation;

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
