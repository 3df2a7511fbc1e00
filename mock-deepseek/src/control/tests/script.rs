//! Scripts: set, refused, shown, and kept when all else is forgotten.

use axum::http::Method;
use serde_json::json;

use super::Stage;
use crate::Script;

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
async fn a_script_whose_faults_cannot_happen_here_is_refused_and_the_old_one_stays_m11() {
    let stage = Stage::new().await;
    let good = "[[rules]]\nname = \"weeks\"\n";
    stage.call(Method::PUT, "/__mock/script", good).await;

    let secret = "[default]\nfaults = [\"tls-handshake-stall\"]\n";
    let (status, needs) = stage.call(Method::PUT, "/__mock/script", secret).await;

    assert_eq!((status, &needs["error"]["code"]), (409, &json!("needs_tls")));
    assert!(stage.mock.set_script_text(secret).unwrap_err().to_string().contains("tls-handshake-stall"));
    assert_eq!(stage.get("/__mock/script").await, (200, json!(good)));
}

#[tokio::test]
async fn a_script_that_was_set_as_values_has_no_text_m11() {
    let stage = Stage::new().await;
    assert_eq!(stage.get("/__mock/script").await, (200, json!("")));

    stage.mock.set_script(Script::default());

    assert_eq!(stage.get("/__mock/script").await.1["error"]["code"], "script_without_text");
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
