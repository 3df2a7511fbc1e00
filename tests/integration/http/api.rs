//! The document of the API, held to the server that it describes.

use std::sync::Arc;

use clock::{SystemClock, Timestamp};
use mock_deepseek::MockDeepSeek;
use reqwest::Method;
use serde_json::{Value, json};
use server::storage::{AccessStorage as _, Block};

use super::start;
use crate::support::{
    schema::strict_contradictions,
    served,
    server::{Server, answer, reply},
};

fn document() -> Value {
    server::api::document().unwrap()
}

#[tokio::test]
async fn the_documents_are_there_for_everybody_f140() {
    let server = start().await;

    let api = reply(server.request(Method::GET, "/api/openapi.json", "")).await;

    assert_eq!((api.status, api.body), (200, document()));
    let socket = server.get("/api/asyncapi.json", "").await;
    assert_eq!(socket, (200, server::chat::asyncapi::document()));
    server.stop().await;
}

/// Every answer is held to the document: a route of it must not fall through to what unknown ones get, and a method that
/// it does not name must.
#[tokio::test]
async fn each_path_of_the_document_answers_the_methods_that_it_names_and_no_other_f140() {
    let server = start().await;
    let document = document();
    let mut named = 0;

    for (template, at) in document["paths"].as_object().unwrap() {
        let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
        let path = template.split('/').map(part).collect::<Vec<_>>().join("/");
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let is_named = at.get(method.as_str().to_lowercase()).is_some();
            let (status, body) = answer(server.request(method.clone(), &path, "").body("{}")).await;
            assert_eq!(body != "404 page not found", is_named, "{method} {template}: {status}");
            named += u32::from(is_named);
        }
    }

    assert!(named > 60, "{named}");
    server.stop().await;
}

#[test]
fn the_examples_of_the_document_are_what_it_says_itself_f140() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();

    let examples = schemas.iter().flat_map(|(name, schema)| {
        schema["examples"].as_array().into_iter().flatten().map(move |example| (name, schema, example))
    });
    let mut seen = 0;
    for (name, schema, example) in examples {
        assert_eq!(strict_contradictions((&document, schema), example), [""; 0], "{name}");
        seen += 1;
    }

    assert!(seen > 5, "{seen}");
}

/// Starts a server with a model that answers.
async fn with_model() -> (MockDeepSeek, Server) {
    let mock = MockDeepSeek::start().await.unwrap();
    let mut settings = toml::Table::new();
    settings.insert("llm.api_key".to_owned(), "sk-test".into());
    settings.insert("llm.base_url".to_owned(), mock.url().into());
    let server = Server::start(Arc::new(SystemClock::new()), settings).await;
    (mock, server)
}

#[tokio::test]
async fn what_a_conversation_leaves_is_as_the_document_says_f140() {
    let (_mock, server) = with_model().await;
    let token = server.register("ana@a.org", "en").await;
    server.put("/api/users/me/facts/diet", &token, json!({"value": "vegan"})).await;

    served::say(server.address, &token, "Which fish can I eat in week 12?").await;

    let (_, conversations) = server.get("/api/conversations?limit=1", &token).await;
    let id = conversations[0]["id"].as_str().unwrap();
    let (_, messages) = server.get(&format!("/api/conversations/{id}/messages?after=0"), &token).await;
    assert_eq!(messages.as_array().unwrap().len(), 2, "{messages}");
    assert_eq!(server.get("/api/users/me/facts/diet", &token).await.1["value"], "vegan");
    assert_eq!(server.post("/api/conversations/current/end", &token, json!({})).await.1["ended"], true);
    assert_eq!(server.get("/page/page.css", "").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn what_administrators_do_is_as_the_document_says_f140() {
    let (_mock, server) = with_model().await;
    let (admin, bea) = (server.register_admin("root@a.org").await, server.register("bea@a.org", "en").await);
    let bea = super::reminders::user_of(&server.get("/api/auth/me", &bea).await.1);
    let until = Timestamp::from_second(32_503_680_000).unwrap();
    let block = Block { user: bea, reason: "flood".to_owned(), at: Timestamp::UNIX_EPOCH, until };
    server.db.block(block).await.unwrap();

    let (_, blocks) = server.get("/api/admin/blocks", &admin).await;
    let lifted = server.delete(&format!("/api/admin/blocks/{bea}"), &admin).await;
    let role = server.put(&format!("/api/admin/users/{bea}/role"), &admin, json!({"is_admin": true})).await;
    let form = json!({"name": "report", "scopes": ["audit:read"], "expires_in_days": 7});
    let (_, key) = server.post("/api/admin/api-keys", &admin, form).await;
    let path = format!("/api/admin/api-keys/{}", key["id"].as_str().unwrap());
    let removed = server.delete(&path, &admin).await;
    let changed = server.put("/api/admin/languages/es", &admin, json!({"is_enabled": false})).await;
    let draft = "/api/admin/languages/es/texts/canned.greeting/draft";
    let (drafted, _) = server.post(draft, &admin, json!({})).await;

    assert_eq!(blocks.as_array().unwrap().len(), 1);
    assert_eq!((lifted.0, role.0, removed.0, changed.0, drafted), (200, 200, 200, 200, 201));
    server.stop().await;
}
