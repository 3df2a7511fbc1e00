//! Texts edited by administrators: checked, previewed, approved, restored.

use std::sync::Arc;

use clock::SystemClock;
use mock_deepseek::MockDeepSeek;
use serde_json::{Value, json};

use super::start;
use crate::support::server::Server;

const GREETING: &str = "/api/admin/languages/es/texts/canned.greeting";
const SAFETY: &str = "/api/admin/languages/es/texts/safety.body";

/// Returns what users read under a key, as the list of a language tells it.
async fn shown(server: &Server, (admin, key): (&str, &str)) -> Value {
    let (_, list) = server.get("/api/admin/languages/es/texts", admin).await;
    list.as_array().unwrap().iter().find(|text| text["key"] == key).unwrap().clone()
}

#[tokio::test]
async fn an_edit_is_read_at_once_and_can_be_taken_back_f60_f61() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;
    let key = (admin.as_str(), "canned.greeting");

    let (status, edited) = server.put(GREETING, &admin, json!({"text": "¡Buenas!"})).await;
    let after = shown(&server, key).await;
    server.put(GREETING, &admin, json!({"text": "¡Ey!"})).await;
    let (_, restored) = server.post(&format!("{GREETING}/versions/1/restore"), &admin, json!({})).await;
    let again = shown(&server, key).await;
    server.put(GREETING, &admin, json!({"text": null})).await;

    assert_eq!((status, &edited["state"]), (200, &json!("live")));
    assert_eq!((&after["text"], &after["origin"]), (&json!("¡Buenas!"), &json!("database")));
    assert_eq!((&restored["version"], &again["text"]), (&json!(3), &json!("¡Buenas!")));
    assert_eq!(shown(&server, key).await["origin"], "file");
    let (_, versions) = server.get(GREETING, &admin).await;
    assert_eq!(versions.as_array().unwrap().len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn a_text_that_cannot_be_right_is_refused_before_anybody_reads_it_f61_f132() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;
    let wait = "/api/admin/languages/es/texts/error.rate_limited";

    let (status, refused) = server.put(wait, &admin, json!({"text": "Espera { $minutes }."})).await;
    let (preview, body) =
        server.post(&format!("{wait}/preview"), &admin, json!({"text": "Espera { $seconds } s."})).await;
    let (broken, _) = server.post(&format!("{wait}/preview"), &admin, json!({"text": "{ $seconds"})).await;
    let (unknown, _) = server.put("/api/admin/languages/es/texts/no.key", &admin, json!({"text": "x"})).await;
    let (absent, _) = server.get("/api/admin/languages/pt/texts", &admin).await;

    assert_eq!((status, broken, unknown, absent), (422, 422, 404, 404));
    insta::assert_snapshot!(refused["problems"], @r#"["variable `{ $seconds }` of the English text is missing; put it where its value belongs","variable `{ $minutes }` is not in the English text and would never be filled in; leave it out"]"#);
    assert_eq!((preview, body), (200, json!({"text": "Espera 7 s."})));
    assert_eq!(shown(&server, (&admin, "error.rate_limited")).await["origin"], "file");
    server.stop().await;
}

#[tokio::test]
async fn a_text_about_safety_needs_a_second_administrator_f61() {
    let server = start().await;
    let (one, two) = (server.register_admin("one@a.org").await, server.register_admin("two@a.org").await);
    let before = shown(&server, (&one, "safety.body")).await;

    let (_, waiting) = server.put(SAFETY, &one, json!({"text": "Llama al 112."})).await;
    let approve = format!("{SAFETY}/versions/1/approve");
    let (alone, error) = server.post(&approve, &one, json!({})).await;
    let meanwhile = shown(&server, (&one, "safety.body")).await;
    let (status, live) = server.post(&approve, &two, json!({})).await;
    let (twice, _) = server.post(&approve, &two, json!({})).await;

    assert_eq!(waiting["state"], "waiting");
    assert_eq!((alone, &error["code"]), (409, &json!("approved_before")));
    assert_eq!(meanwhile, before);
    assert_eq!((status, &live["state"], twice), (200, &json!("live"), 409));
    assert_eq!(shown(&server, (&one, "safety.body")).await["text"], "Llama al 112.");
    server.stop().await;
}

/// Returns what a mock has charged for its answers, one after the other.
fn charged(mock: &MockDeepSeek) -> Vec<u64> {
    let told = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        let number = text.split("\"total_tokens\":").nth(1).unwrap();
        number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    mock.journal().iter().map(|exchange| told(exchange.written_bytes())).collect()
}

#[tokio::test]
async fn what_a_draft_costs_is_told_and_kept_as_the_provider_counts_it_f62() {
    let mock = MockDeepSeek::start().await.unwrap();
    let mut settings = toml::Table::new();
    settings.insert("llm.api_key".to_owned(), "sk-test".into());
    settings.insert("llm.base_url".to_owned(), mock.url().into());
    let server = Server::start(Arc::new(SystemClock::new()), settings).await;
    let admin = server.register_admin("root@a.org").await;
    let draft = async |key: &str| {
        server.post(&format!("/api/admin/languages/es/texts/{key}/draft"), &admin, json!({})).await
    };

    let (good, drafted) = draft("canned.greeting").await;
    let (bad, refused) = draft("error.rate_limited").await;
    let (_, log) = server.get("/api/admin/audit?limit=2", &admin).await;

    let cost = charged(&mock);
    assert_eq!((good, bad, &refused["code"]), (201, 422, &json!("bad_text")));
    assert_eq!(drafted["tokens"], cost[0]);
    let rows = [&log["rows"][1]["outcome"], &log["rows"][0]["outcome"]];
    assert_eq!(rows, [&format!("201, {} tokens", cost[0]), &format!("422, {} tokens", cost[1])]);
    let (_, versions) = server.get("/api/admin/languages/es/texts/canned.greeting", &admin).await;
    assert_eq!((&versions[0]["tokens"], &versions[0]["author"]), (&json!(cost[0]), &json!(null)));
    server.stop().await;
}
