//! What is said of the mock as a whole, and to requests that no route takes.

use axum::http::Method;
use serde_json::{Value, json};

use super::Stage;
use crate::control::CONTROL_BODY_MAX;

#[tokio::test]
async fn what_cannot_be_read_is_shown_with_a_guess_m11() {
    let stage = Stage::new().await;

    for (method, path, body, guess) in [
        (Method::POST, "/__mock/verify", r#"{"reqests": 2}"#, "^^^^^^^ did you mean `requests`?"),
        (Method::PUT, "/__mock/fault", r#"{"falts": []}"#, "^^^^^ did you mean `faults`?"),
        (Method::GET, "/__mock/journal?limt=3", "", "did you mean `limit`?"),
    ] {
        let (status, refusal) = stage.call(method, path, body).await;

        assert_eq!(status, 422, "{path}");
        let error = &refusal["error"];
        let told = format!("{}\n{}", error["message"].as_str().unwrap(), error["hint"].as_str().unwrap());
        assert!(told.contains(guess), "{told}");
    }
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
