//! What holds for every route: bad input, headers, health, a panic, the end of the server.

use std::{
    io::{Read, Write},
    sync::Arc,
};

use clock::SystemClock;
use reqwest::Method;
use serde_json::json;
use server::ids::SuggestionId;
use tokio::net::TcpStream;

use super::start;
use crate::support::server::{PASSWORD, Server, answer, reply};

#[tokio::test]
async fn a_query_or_path_that_cannot_be_read_is_answered_as_json() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let (session, random) = ("/api/conversations", SuggestionId::random());

    let (status, body) = server.get("/api/conversations?limit=abc", &token).await;
    assert_eq!(status, 400);
    insta::assert_snapshot!(body, @r#"{"error":"query cannot be read: limit: invalid digit found in string; correct it or leave it out","code":"bad_request"}"#);
    for path in ["/api/reminders/%ff", "/api/users/me/facts/%ff", "/api/suggestions/%ff/dismiss"] {
        let method = if path.ends_with("dismiss") { Method::POST } else { Method::PUT };
        let (status, body) = answer(server.request(method, path, &token).body("{}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("bad_request")), "{path}");
    }
    let (status, body) = server.get(&format!("{session}/%ff/messages"), &token).await;
    assert_eq!(status, 400);
    insta::assert_snapshot!(body, @r#"{"error":"path cannot be read; what follows each `%` must be the bytes of UTF-8 text","code":"bad_request"}"#);
    assert_eq!(server.get("/page/%ff", "").await.0, 400);
    let unknown = server.get(&format!("{session}/{random}/messages"), &token).await;
    assert_eq!(unknown, server.get(&format!("{session}/x/messages"), &token).await);
    assert_eq!(unknown.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_route_or_method_is_plain_text() {
    let server = start().await;

    for path in ["/nothing", "/api/nothing", "/api/auth/login"] {
        assert_eq!(server.get(path, "").await, (404, json!("404 page not found")), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_its_database_lives_but_is_not_ready() {
    let server = start().await;
    assert_eq!(server.get("/health/ready", "").await, (200, json!({"status": "ready"})));

    server.db.close().await;

    assert_eq!(server.get("/health", "").await.1["status"], "healthy");
    assert_eq!(server.get("/health/live", "").await.0, 200);
    let (status, body) = server.get("/health/ready", "").await;
    assert_eq!((status, &body["status"]), (503, &json!("unavailable")));
    let login = json!({"email": "ana@a.org", "password": PASSWORD});
    let (status, body) = server.post("/api/auth/login", "", login).await;
    assert_eq!(status, 503);
    insta::assert_snapshot!(body, @r#"{"error":"our database cannot be reached right now; please try again in a moment","code":"unavailable","retry_after_ms":1000}"#);
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_next_request_works() {
    let settings = toml::toml! { limits.user.burst = 1 };
    let server = Server::start(Arc::new(SystemClock::new()), settings).await;
    let token = server.register("ana@a.org", "boom").await;
    assert_eq!(server.get("/api/reminders", &token).await.0, 200);

    let (status, body) = server.get("/api/reminders", &token).await;

    assert_eq!((status, &body["code"]), (500, &json!("internal")));
    assert_eq!(server.get("/health", "").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn every_answer_carries_its_id_and_careful_headers() {
    let server = start().await;

    let reply = reply(server.request(Method::GET, "/api/reminders", "")).await;

    let header = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("www-authenticate"), "Bearer");
    assert_eq!(header("x-request-id").len(), 36);
    assert!(header("date").ends_with(" GMT"));
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_finishes_what_it_does_and_ends_idle_connections() {
    let server = start().await;
    let address = server.address;
    let mut idle = std::net::TcpStream::connect(address).unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(server.get("/health", "").await.0, 200);

    server.stop().await;

    let mut rest = String::new();
    idle.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK"));
    assert!(TcpStream::connect(address).await.is_err());
}
