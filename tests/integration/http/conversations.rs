//! Conversations: who may open the chat, and its history.

use std::sync::Arc;

use clock::SystemClock;
use mock_deepseek::MockDeepSeek;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, client::IntoClientRequest as _},
};

use super::start;
use crate::support::{
    served::say,
    server::{Server, reply},
};

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

/// Returns the positions of the messages that were answered.
fn positions((status, body): (u16, Value)) -> Vec<u64> {
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().iter().map(|message| message["position"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_conversation_is_read_in_pages_by_its_user_and_by_nobody_else_f149() {
    let llm = MockDeepSeek::start().await.unwrap();
    let mut settings = toml::Table::new();
    settings.insert("llm.api_key".to_owned(), "sk-test".into());
    settings.insert("llm.base_url".to_owned(), llm.url().into());
    let server = Server::start(Arc::new(SystemClock::new()), settings).await;
    let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
    for _ in 0..3 {
        say(server.address, &ana, "Are figs good for me?").await;
    }
    let (_, listed) = server.get("/api/conversations", &ana).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["messages"]), (1, &json!(6)));
    let path = format!("/api/conversations/{}/messages", listed[0]["id"].as_str().unwrap());
    let read = async |token: &str, part: &str| server.get(&format!("{path}{part}"), token).await;

    // What is asked for, and what its user gets.
    let table: [(&str, &[u64]); 7] = [
        ("", &[1, 2, 3, 4, 5, 6]),
        ("?limit=2", &[1, 2]),
        ("?after=2&limit=2", &[3, 4]),
        ("?after=4&limit=50", &[5, 6]),
        ("?after=6", &[]),
        ("?limit=0", &[1]),
        ("?limit=100000", &[1, 2, 3, 4, 5, 6]),
    ];
    for (part, expected) in table {
        assert_eq!(positions(read(&ana, part).await), expected, "{part}");
        let (status, body) = read(&bea, part).await;
        assert_eq!((status, &body["code"]), (404, &json!("not_found")), "{part}: {body}");
    }
    assert_eq!(server.get("/api/conversations", &bea).await, (200, json!([])));
    let (_, ended) = server.post("/api/conversations/current/end", &bea, json!({})).await;
    assert_eq!(ended["ended"], false, "hers is not the one that is open");
    server.stop().await;
}

#[tokio::test]
async fn compression_of_frames_is_offered_in_vain_f148() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    for protocol in [None, Some("chat.v1")] {
        let url = format!("ws://{}/ws/chat?token={token}", server.address);
        let mut request = url.into_client_request().unwrap();
        let offer = "permessage-deflate; client_max_window_bits".parse().unwrap();
        request.headers_mut().insert("sec-websocket-extensions", offer);
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }

        let (_, response) = connect_async(request).await.unwrap();

        assert_eq!(response.status(), 101);
        assert_eq!(response.headers().get("sec-websocket-extensions"), None, "{protocol:?}");
    }
    server.stop().await;
}
