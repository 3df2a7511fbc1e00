//! Limits: how often, how much, how large and how slow.

use std::time::Duration;

use clock::SystemClock;
use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{in_the_lab, start};
use crate::support::{
    contract::Reply,
    server::{Server, answer, reply},
};

/// How long the end of a connection may be on its way: no verdict rests on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Calls that are under way together.
const AT_ONCE: usize = 8;

#[tokio::test]
async fn a_user_has_at_most_200_facts_and_1000_reminders() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let fact = async |n: u32| {
        server.put(&format!("/api/users/me/facts/key_{n}"), &token, json!({"value": "x"})).await
    };
    let remind = async || {
        let form = json!({"title": "Midwife", "reminder_time": "2026-12-01T14:00:00Z"});
        server.post("/api/reminders", &token, form).await
    };
    // A few at once: more would only wait for the store, and be refused where the machine is busy.
    let facts: Vec<_> = stream::iter((0..199).map(fact)).buffer_unordered(AT_ONCE).collect().await;
    let reminders: Vec<_> =
        stream::iter((0..999).map(|_| remind())).buffer_unordered(AT_ONCE).collect().await;
    assert!(
        facts.iter().all(|(status, _)| *status == 200) && reminders.iter().all(|(status, _)| *status == 201)
    );

    let last_facts = tokio::join!(fact(1000), fact(1001));
    let last_reminders = tokio::join!(remind(), remind());

    let (mut facts, mut reminders) =
        ([last_facts.0.0, last_facts.1.0], [last_reminders.0.0, last_reminders.1.0]);
    facts.sort_unstable();
    reminders.sort_unstable();
    assert_eq!((facts, reminders), ([200, 409], [201, 409]));
    insta::assert_snapshot!(fact(1002).await.1, @r#"{"error":"you have 200 facts, as many as there may be; change one of them instead","code":"too_many"}"#);
    insta::assert_snapshot!(remind().await.1, @r#"{"error":"you have 1000 reminders, as many as there may be; change one of them instead","code":"too_many"}"#);
    assert_eq!(fact(0).await.0, 200, "what is there may be changed");
    let (_, reminders) = server.get("/api/reminders", &token).await;
    let path = format!("/api/reminders/{}", reminders[0]["id"].as_str().unwrap());
    assert_eq!(server.delete(&path, &token).await.0, 200);
    assert_eq!(remind().await.0, 201);
    server.stop().await;
}

/// Asks `n` times and counts the answers that are not 429.
async fn passed(server: &Server, path: &str, token: &str, n: u32) -> u32 {
    let mut passed = 0;
    for _ in 0..n {
        passed += u32::from(server.get(path, token).await.0 != 429);
    }
    passed
}

#[test]
fn an_address_gets_200_requests_at_once_and_100_a_minute() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        assert_eq!(passed(&server, "/health", "", 300).await, 200);
        let refused = reply(server.request(Method::GET, "/ws/chat", "")).await;
        assert_eq!(refused.headers["retry-after"], "1");
        let (status, body) = answer(server.request(Method::GET, "/ws/chat", "")).await;

        assert_eq!(status, 429);
        insta::assert_snapshot!(body, @r#"{"error":"too many requests from this address; try again in 1 s","code":"rate_limited","retry_after_ms":600,"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","detail":"too many requests from this address; try again in 1 s","status":429,"policy":"http","violated-policies":["http"]}"#);
        lab.advance(Duration::from_mins(1)).await.unwrap();
        assert_eq!(passed(&server, "/health", "", 150).await, 100);
    });
}

#[test]
fn the_address_is_the_peers_unless_a_trusted_proxy_says_otherwise() {
    let settings = toml::toml! {
        http.trusted_proxies = ["127.0.0.1"]
        limits.http.burst = 1
    };
    in_the_lab(settings, async |_, server| {
        let get = async |forwarded: &str| {
            let request = server.request(Method::GET, "/health", "").header("x-forwarded-for", forwarded);
            answer(request).await.0
        };

        assert_eq!(get("198.51.100.7").await, 200);
        assert_eq!(get("1.1.1.1, 198.51.100.7").await, 429, "what the client wrote does not count");
        assert_eq!(get("198.51.100.8").await, 200);
        assert_eq!(get("nonsense").await, 200, "the peer itself");
        assert_eq!(get("nonsense, too").await, 429);
    });
}

#[test]
fn a_rotating_header_gains_nothing_without_a_proxy() {
    in_the_lab(toml::toml! { limits.http.burst = 1 }, async |_, server| {
        let get = async |forwarded: &str| {
            let request = server.request(Method::GET, "/health", "").header("x-forwarded-for", forwarded);
            answer(request).await.0
        };

        assert_eq!([get("1.1.1.1").await, get("1.1.1.2").await, get("1.1.1.3").await], [200, 429, 429]);
    });
}

#[test]
fn a_user_gets_100_requests_at_once_and_500_an_hour() {
    let settings = toml::toml! { limits.http.mode = "off" };
    in_the_lab(settings, async |lab, server| {
        let (ana, bea) = (server.register("ana@a.org", "es").await, server.register("bea@a.org", "en").await);

        assert_eq!(passed(&server, "/api/reminders", &ana, 150).await, 100);
        assert_eq!(passed(&server, "/api/reminders", &bea, 10).await, 10);
        let (_, body) = server.get("/api/reminders", &ana).await;
        assert_eq!(body["error"], r#"error.rate_limited in es with [("seconds", "8")]"#);
        lab.advance(Duration::from_secs(72)).await.unwrap();
        assert_eq!(passed(&server, "/api/reminders", &ana, 20).await, 10);
    });
}

#[test]
fn a_refusal_is_a_problem_and_waiting_as_long_as_it_says_helps_f7() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let token = server.register("ana@a.org", "es").await;
        let ask = async || reply(server.request(Method::GET, "/api/reminders", &token)).await;
        assert_eq!(passed(&server, "/api/reminders", &token, 100).await, 100);

        let refused = ask().await;

        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.body["violated-policies"], json!(["user"]));
        assert_eq!(refused.body["detail"], refused.body["error"], "for its user, in the language of that");
        assert!(!refused.headers.contains_key("ratelimit"), "a draft is not sent unasked");
        let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        lab.advance(Duration::from_secs(seconds - 1)).await.unwrap();
        assert_eq!(ask().await.status, 429);
        lab.advance(Duration::from_secs(1)).await.unwrap();
        assert_eq!(ask().await.status, 200);
    });
}

#[test]
fn the_fields_of_a_limit_are_structured_and_say_what_is_left_f7() {
    in_the_lab(toml::toml! { limits.rate_limit_fields = true }, async |_, server| {
        let token = server.register("ana@a.org", "es").await;
        assert_eq!(passed(&server, "/api/reminders", &token, 100).await, 100);

        let refused = reply(server.request(Method::GET, "/api/reminders", &token)).await;

        let numbers = [("q", 100), ("w", 720)].map(|(key, n)| (key.to_owned(), n));
        assert_eq!(field(&refused, "ratelimit-policy"), ("user".to_owned(), numbers.to_vec()));
        let numbers = [("r", 0), ("t", 8)].map(|(key, n)| (key.to_owned(), n));
        assert_eq!(field(&refused, "ratelimit"), ("user".to_owned(), numbers.to_vec()));
        assert_eq!(refused.headers["retry-after"], "8");
    });
}

/// Reads a list of one string with numbers as parameters.
fn field(reply: &Reply, name: &str) -> (String, Vec<(String, i64)>) {
    let list: sfv::List = sfv::Parser::new(reply.headers[name].as_bytes()).parse().unwrap();
    let [sfv::ListEntry::Item(item)] = &list[..] else { panic!("`{name}` has not one entry: {list:?}") };
    let numbers = item.params.iter().map(|(key, n)| (key.to_string(), n.as_integer().unwrap().into()));
    (item.bare_item.as_string().unwrap().to_string(), numbers.collect())
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_refused_with_an_answer() {
    let server = start().await;

    let form = json!({"email": "ana@a.org", "password": "x".repeat(1024 * 1024)});
    let (status, body) = server.post("/api/auth/register", "", form).await;

    assert_eq!(status, 413);
    insta::assert_snapshot!(body, @r#"{"error":"body is larger than 65536 bytes; send less","code":"too_large"}"#);
    server.stop().await;
}

#[test]
fn a_head_that_does_not_come_ends_the_connection_after_ten_seconds() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        lab.advance(Duration::from_millis(9_900)).await.unwrap();
        let early = slow.try_read(&mut [0; 9]);
        assert!(early.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));

        lab.advance(Duration::from_millis(200)).await.unwrap();

        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"));
    });
}

#[test]
fn a_connection_that_is_kept_and_not_used_ends_ten_seconds_after_its_answer_f154() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        let mut last = vec![0; 4096];
        for _ in 0..2 {
            lab.advance(Duration::from_millis(9_900)).await.unwrap();
            idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let n = idle.read(&mut last).await.unwrap();
            assert!(last[..n].starts_with(b"HTTP/1.1 200"), "a connection in use goes on");
        }
        lab.advance(Duration::from_millis(9_900)).await.unwrap();
        let early = idle.try_read(&mut last);
        assert!(early.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));

        lab.advance(Duration::from_millis(200)).await.unwrap();

        let ended = clock::timeout(&SystemClock::new(), PATIENCE, idle.read(&mut last)).await;
        assert_eq!(ended.expect("it is still open").unwrap(), 0, "nobody asked, so nothing is answered");
    });
}

#[test]
fn a_body_that_does_not_come_is_given_up_after_ten_seconds() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
            .await
            .unwrap();

        lab.advance(Duration::from_secs(11)).await.unwrap();

        let mut answer = vec![0; 12];
        slow.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 408");
    });
}

#[test]
fn every_area_has_a_limit_of_its_own_and_a_refusal_names_it_f109() {
    // The area, what is asked for, how many times at once, and after how long once more.
    let table = [
        ("tickets", Method::POST, "/api/auth/ws-ticket", 30, Duration::from_secs(2)),
        ("sockets", Method::GET, "/ws/chat", 60, Duration::from_secs(1)),
        ("reminders", Method::POST, "/api/reminders/rollback", 60, Duration::from_secs(1)),
        ("admin", Method::GET, "/api/admin/blocks", 60, Duration::from_secs(1)),
        ("user", Method::GET, "/api/auth/me", 100, Duration::from_millis(7200)),
    ];
    for (policy, method, path, burst, pause) in table {
        in_the_lab(toml::Table::new(), async |lab, server| {
            let (ana, eve) =
                (server.register_admin("ana@a.org").await, server.register_admin("eve@a.org").await);
            let ask = async |token: &str| answer(server.request(method.clone(), path, token)).await;
            for n in 0..burst {
                assert_ne!(ask(&ana).await.0, 429, "{policy}: the {n}th was refused");
            }

            let (status, refused) = ask(&ana).await;

            assert_eq!(
                (status, &refused["policy"], &refused["code"]),
                (429, &json!(policy), &json!("rate_limited"))
            );
            assert_ne!(ask(&eve).await.0, 429, "{policy}: somebody else is refused");
            lab.advance(pause).await.unwrap();
            assert_ne!(ask(&ana).await.0, 429, "{policy}: no place came back");
            assert_eq!(ask(&ana).await.0, 429, "{policy}");
        });
    }
}
