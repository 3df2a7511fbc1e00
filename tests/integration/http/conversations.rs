//! Conversations: who may open the chat, and its history.

use std::sync::Arc;

use clock::SystemClock;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite};

use super::start;
use crate::support::server::{Server, reply};

/// Opens the chat socket; `Err` holds the answer to a refused upgrade.
async fn open_chat(server: &Server, query: &str) -> Result<(), Value> {
    match connect_async(format!("ws://{}/ws/chat{query}", server.address)).await {
        Ok((_, response)) => {
            assert_eq!(response.status(), 101);
            Ok(())
        }
        Err(tungstenite::Error::Http(response)) => {
            Err(serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap())
        }
        Err(error) => panic!("no answer: {error}"),
    }
}

#[tokio::test]
async fn the_chat_opens_for_a_token_in_the_query_only_where_that_is_allowed() {
    let server = start().await;
    let strict = Server::start(Arc::new(SystemClock::new()), toml::toml! { auth.query_token = false }).await;
    let query = format!("?token={}", server.register("ana@a.org", "en").await);

    assert_eq!(open_chat(&server, &query).await, Ok(()));
    assert_eq!(open_chat(&server, "").await.unwrap_err()["code"], "no_token");
    assert_eq!(open_chat(&server, "?token=x").await.unwrap_err()["code"], "bad_token");
    assert_eq!(open_chat(&strict, &query).await.unwrap_err()["code"], "no_token");
    let plain = reply(server.request(Method::GET, &format!("/ws/chat{query}"), "")).await;
    assert_eq!(plain.headers["sec-websocket-version"], "13");
    let (status, body) = server.get(&format!("/ws/chat{query}"), "").await;
    assert_eq!((status, &body["code"]), (426, &json!("upgrade_required")));
    server.stop().await;
    strict.stop().await;
}

#[tokio::test]
async fn history_is_listed_and_ending_nothing_is_no_error() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;

    assert_eq!(server.get("/api/conversations", &token).await, (200, json!([])));
    assert_eq!(server.get("/api/conversations/x/messages", &token).await.0, 404);
    let (status, body) = server.post("/api/conversations/current/end", &token, json!({})).await;
    assert_eq!((status, body), (200, json!({"ended": false, "conversation_id": null})));
    server.stop().await;
}
