//! Words that administrators keep for a language, over HTTP.

use serde_json::json;

use super::start;

const WORDS: &str = "/api/admin/languages/fr/symptom-words";

#[tokio::test]
async fn words_of_symptoms_are_added_listed_and_removed_by_administrators_f64() {
    let server = start().await;
    let (user, admin) = (server.register("ana@a.org", "en").await, server.register_admin("root@a.org").await);
    let french = json!({"code": "fr", "name": "French", "native_name": "Français"});
    let put = async |word: &str, token: &str| server.put(&format!("{WORDS}/{word}"), token, json!({})).await;

    let early = put("naus%C3%A9e", &admin).await;
    server.post("/api/admin/languages", &admin, french).await;
    let answers = [
        early,
        put("naus%C3%A9e", "").await,
        put("naus%C3%A9e", &user).await,
        put("%20Naus%C3%A9e%20", &admin).await,
        put("NAUSEE", &admin).await,
        put("jambes%20agit%C3%A9es", &admin).await,
        put("je", &admin).await,
        put("%ff", &admin).await,
        server.get(WORDS, &admin).await,
        server.delete(&format!("{WORDS}/naus%C3%A9e"), &admin).await,
        server.delete(&format!("{WORDS}/nausee"), &admin).await,
        server.get(WORDS, &admin).await,
        server.get("/api/admin/languages/pt/symptom-words", &admin).await,
    ];

    let said: Vec<_> = answers.iter().map(|(status, body)| format!("{status} {body}")).collect();
    insta::assert_snapshot!(said.join("\n"), @"");
    server.stop().await;
}
