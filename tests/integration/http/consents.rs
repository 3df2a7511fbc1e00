//! Consents: read, given to the words that were shown, taken back, proven.

use serde_json::json;

use super::{redacted, start};

const PATH: &str = "/api/users/me/consents/ai_provider_transfer";

#[tokio::test]
async fn a_consent_names_the_words_that_were_shown_f114() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;

    let (_, all) = server.get("/api/users/me/consents", &ana).await;
    let names: Vec<_> = all.as_array().unwrap().iter().map(|view| view["purpose"].clone()).collect();
    assert_eq!(names, ["terms", "health_processing", "ai_provider_transfer", "analytics"]);
    let shown = all[2]["shown"].clone();
    for wrong in [json!({}), json!({"shown": 7}), json!({"shown": "", "version": 1})] {
        assert_eq!(server.put(PATH, &ana, wrong).await.0, 400);
    }
    assert_eq!(server.put(PATH, &ana, json!({"shown": all[0]["shown"]})).await.0, 409);
    let (status, given) = server.put(PATH, &ana, json!({"shown": shown})).await;

    assert_eq!((status, &given["given"], &given["version"]), (200, &json!(true), &json!(1)));
    assert_eq!(server.put(PATH, &ana, json!({"shown": shown})).await.1, given, "twice is once");
    let (_, proof) = server.get(PATH, &ana).await;
    let proof = redacted(proof["history"].clone(), &["/0/given_at"]);
    let text = &all[2]["text"];
    assert_eq!(
        proof,
        json!([{"version": 1, "language": "en", "text": text, "shown": shown, "given_at": "…", "withdrawn_at": null}])
    );
    server.stop().await;
}

#[tokio::test]
async fn whoever_reads_another_language_agrees_to_words_in_that_one_f114() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let (_, english) = server.get(PATH, &ana).await;
    server.put("/api/users/me/language", &ana, json!({"language": "fr"})).await;

    let (status, refused) = server.put(PATH, &ana, json!({"shown": english["shown"]})).await;
    let (_, french) = server.get(PATH, &ana).await;

    assert_eq!((status, &refused["code"]), (409, &json!("consent_words_changed")));
    assert!(
        refused["error"].as_str().unwrap().ends_with("send the `shown` that came with them"),
        "{refused}"
    );
    assert_eq!(server.put(PATH, &ana, json!({"shown": french["shown"]})).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_consent_is_the_users_own_and_is_taken_back_as_easily_f114() {
    let server = start().await;
    let (ana, eve) = (server.register("ana@a.org", "en").await, server.register("eve@a.org", "en").await);
    let (_, asked) = server.get(PATH, &ana).await;
    server.put(PATH, &ana, json!({"shown": asked["shown"]})).await;

    assert_eq!(server.delete(PATH, &eve).await.1["given"], json!(false));
    assert_eq!(server.get(PATH, &ana).await.1["given"], json!(true), "somebody else withdrew it");
    assert_eq!(server.get(PATH, "").await.0, 401);
    assert_eq!(server.put(PATH, "", json!({"shown": asked["shown"]})).await.0, 401);
    for path in ["/api/users/me/consents/marketing", "/api/users/me/consents/Terms"] {
        assert_eq!(server.delete(path, &ana).await.0, 404);
    }
    let (status, withdrawn) = server.delete(PATH, &ana).await;
    assert_eq!((status, &withdrawn["given"]), (200, &json!(false)));
    assert!(withdrawn["withdrawn_at"].is_string(), "{withdrawn}");
    assert_eq!(server.delete(PATH, &ana).await, (200, withdrawn), "twice is once");
    server.stop().await;
}
