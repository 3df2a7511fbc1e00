//! The journal: one exchange, those that a filter lets through, and those that come.

use axum::http::Method;
use serde_json::{Value, json};

use super::Stage;

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
