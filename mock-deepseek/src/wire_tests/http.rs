//! Requests that are wrong, and the small endpoints.

use std::time::Duration;

use super::observe::{End, chat, observe, post, script};
use crate::{BODY_MAX, How};

fn answer(request: &str) -> (String, End) {
    let seen = observe(script(""), request, Duration::from_secs(1)).seen;
    (seen.text(), seen.end)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n")
}

fn status_and_body(request: &str) -> (String, String) {
    let (text, _) = answer(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn the_models_are_listed_with_and_without_version_m1() {
    let (status, body) = status_and_body(&get("/models"));

    assert_eq!(status, "HTTP/1.1 200 OK");
    insta::assert_snapshot!(body, @r#"{"object":"list","data":[{"id":"deepseek-flash","object":"model","owned_by":"deepseek"},{"id":"deepseek-v4-flash","object":"model","owned_by":"deepseek"},{"id":"deepseek-v4-pro","object":"model","owned_by":"deepseek"}]}"#);
    assert_eq!(status_and_body(&get("/v1/models")).1, body);
}

#[test]
fn the_amounts_of_the_balance_are_strings_m1() {
    let (_, body) = status_and_body(&get("/user/balance"));

    insta::assert_snapshot!(body, @r#"{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"10.00","granted_balance":"0.00","topped_up_balance":"10.00"}]}"#);
}

#[test]
fn a_request_without_a_key_gets_the_gateway_s_text_without_a_type_m2() {
    let (text, _) = answer("POST /chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-length: 0\r\n\r\n");

    assert!(text.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{text}");
    assert!(
        text.ends_with("content-length: 31\r\nconnection: keep-alive\r\n\r\nAuthentication Fails (governor)"),
        "{text}"
    );
    assert!(!text.contains("content-type:"), "{text}");
}

#[test]
fn a_wrong_path_and_a_wrong_method_are_named() {
    let (status, body) = status_and_body(&get("/nowhere"));
    assert!(status.contains("404") && body.contains("Not Found: /nowhere"), "{status} {body}");

    let (status, body) = status_and_body(&get("/chat/completions"));
    assert!(status.contains("405") && body.contains("Method Not Allowed: GET"), "{status} {body}");
}

#[test]
fn a_fault_that_does_not_exist_is_refused_by_name() {
    let (status, body) = status_and_body(&chat("", "x-mock-fault: crfl\r\n"));

    assert!(
        status.contains("400") && body.contains("mock-deepseek: fault `crfl` is not in the catalogue"),
        "{body}"
    );
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_connection_closed_m16() {
    let body = format!(r#"{{"model":"{}"}}"#, "x".repeat(3 * BODY_MAX));

    let observed = observe(script(""), &post(&body, ""), Duration::from_secs(1));

    assert!(observed.seen.text().starts_with("HTTP/1.1 413 "), "{}", observed.seen.text());
    assert_eq!(observed.seen.end, End::Closed);
    assert_eq!(observed.journal[0].end.unwrap().how, How::Completed);
}

#[test]
fn bytes_that_are_no_http_get_an_answer_of_their_own_and_harm_nobody() {
    let (text, end) = answer("no http at all\r\n\r\n");

    assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
    assert_eq!(end, End::Closed);
}

#[test]
fn an_answer_after_a_bad_request_is_not_swallowed() {
    let (text, _) = answer(&[chat("", "").as_str(), "no http at all\r\n\r\n"].concat());

    assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("HTTP/1.1 400 Bad Request"), "{text}");
}

#[test]
fn a_body_in_chunks_is_read() {
    let body = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"x"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );

    assert!(answer(&request).0.contains("It’s week 12."));
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks_and_a_closed_connection() {
    let request = chat("", "").replace("HTTP/1.1", "HTTP/1.0");

    let (text, end) = answer(&request);

    assert!(text.contains("\r\nconnection: close\r\n\r\n{\"id\"") && text.ends_with('}'), "{text}");
    assert_eq!(end, End::Closed);
}

#[test]
fn head_gets_the_head_and_no_body_m2() {
    let (text, end) = answer(&get("/models").replacen("GET", "HEAD", 1));

    assert!(text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{text}");
    assert!(text.contains("\r\ncontent-length: 1") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(end, End::Closed);
}

#[test]
fn the_refusal_of_a_chunk_that_is_none_is_in_the_journal_m12() {
    let request = "POST /chat/completions HTTP/1.1\r\nhost: mock\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";

    let observed = observe(script(""), request, Duration::from_secs(1));

    let exchange = &observed.journal[0];
    assert_eq!((exchange.status, exchange.written), (Some(400), observed.seen.text().len() as u64));
    assert_eq!(exchange.written_bytes(), observed.seen.text().as_bytes());
}
