//! Faults: ordered, withdrawn, refused, shown.

use axum::http::Method;
use serde_json::{Value, json};

use super::Stage;

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
async fn a_fault_that_does_not_exist_is_named_with_the_nearest_m11() {
    let stage = Stage::new().await;

    for body in ["stal", r#"{"faults": ["stal"]}"#] {
        let (status, refusal) = stage.call(Method::PUT, "/__mock/fault", body).await;

        let message = refusal["error"]["message"].as_str().unwrap();
        assert!(status == 422 && message.contains("did you mean `stall`"), "{message}");
    }
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
