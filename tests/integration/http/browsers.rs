//! What browsers and proxies are told in headers: who may call from where, what to be careful with, how a request is named.

use std::sync::Arc;

use clock::SystemClock;
use reqwest::{Method, Response, header::HeaderMap};

use super::start;
use crate::support::server::{Server, reply};

const OURS: &str = "https://chat.example.org";
const FOREIGN: &str = "https://evil.example.org";

/// Returns the value of a header, and nothing where there is none.
fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Asks as a browser does before a call of a page from this origin.
async fn preflight(server: &Server, origin: &str) -> Response {
    let ask = server.request(Method::OPTIONS, "/api/reminders", "").header("origin", origin);
    let ask = ask.header("access-control-request-method", "POST");
    ask.header("access-control-request-headers", "authorization,idempotency-key").send().await.unwrap()
}

async fn call(server: &Server, origin: &str) -> HeaderMap {
    reply(server.request(Method::GET, "/health", "").header("origin", origin)).await.headers
}

#[tokio::test]
async fn only_pages_of_the_listed_origins_may_call_f154() {
    let settings =
        toml::toml! { http.allowed_origins = ["https://chat.example.org", "http://localhost:3000"] };
    let server = Server::start(Arc::new(SystemClock::new()), settings).await;

    for origin in [OURS, "http://localhost:3000"] {
        let asked = preflight(&server, origin).await;
        assert!(asked.status().is_success());
        for headers in [asked.headers(), &call(&server, origin).await] {
            assert_eq!(value(headers, "access-control-allow-origin"), origin);
            assert_eq!(value(headers, "access-control-allow-credentials"), "true");
            assert!(
                value(headers, "vary").contains("origin"),
                "a cache must not give it to others: {headers:?}"
            );
        }
        assert_eq!(value(asked.headers(), "access-control-allow-methods"), "GET,POST,PUT,DELETE");
        let allowed = value(asked.headers(), "access-control-allow-headers");
        assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"), "{allowed}");
    }
    for origin in [FOREIGN, "http://chat.example.org", "null"] {
        for headers in [preflight(&server, origin).await.headers(), &call(&server, origin).await] {
            assert_eq!(value(headers, "access-control-allow-origin"), "", "{origin}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_list_any_page_may_call_and_none_with_credentials_f154() {
    let server = start().await;

    for headers in [preflight(&server, FOREIGN).await.headers(), &call(&server, FOREIGN).await] {
        assert_eq!(value(headers, "access-control-allow-origin"), "*");
        assert_eq!(value(headers, "access-control-allow-credentials"), "");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_answer_may_be_neither_framed_nor_run_nor_named_to_others_f154() {
    let server = start().await;

    for path in ["/health", "/api/reminders", "/nothing"] {
        let headers = reply(server.request(Method::GET, path, "")).await.headers;
        assert_eq!(value(&headers, "x-frame-options"), "DENY", "{path}");
        assert_eq!(
            value(&headers, "content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(value(&headers, "referrer-policy"), "no-referrer", "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_plain_id_of_a_request_is_kept_and_another_is_replaced_f154() {
    let server = start().await;
    let named = async |id: &str| {
        let request = server.request(Method::GET, "/health", "").header("x-request-id", id);
        value(&reply(request).await.headers, "x-request-id").to_owned()
    };

    for plain in ["a", "Web-42_b.7", &"x".repeat(64)] {
        assert_eq!(named(plain).await, plain);
    }
    for odd in ["", "two words", "a;b", "<script>", "a/b", "ä", &"x".repeat(65)] {
        let fresh = named(odd).await;
        assert!(fresh.len() == 36 && fresh.matches('-').count() == 4, "`{odd}` became `{fresh}`");
    }
    assert_ne!(named("").await, named("").await, "each request has its own");
    server.stop().await;
}
