//! The server over HTTP, as a client meets it: statuses, bodies, limits, bad input.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use clock::{Clock, Lab, SystemClock, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use server::{
    ids::{SuggestionId, UserId},
    storage::{NewSuggestion, Priority, Storage, SuggestionLimits, SuggestionType},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{connect_async, tungstenite};

use crate::support::server::{PASSWORD, Server, answer};

/// Starts a server on the machine's clock, without limits in the way.
async fn start() -> Server {
    let unlimited = toml::toml! {
        limits.http.mode = "off"
        limits.user.mode = "off"
    };
    Server::start(Arc::new(SystemClock::new()), unlimited).await
}

/// Runs a story on a server whose time stands still until the story moves it.
fn in_the_lab<F: Future<Output = ()>>(settings: toml::Table, story: impl FnOnce(Lab, Server) -> F) {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let server = Server::start(Arc::new(lab.clock().clone()), settings).await;
        story(lab, server).await;
    });
}

/// Replaces what differs from run to run.
fn redacted(mut value: Value, fields: &[&str]) -> Value {
    for field in fields {
        if let Some(found) = value.pointer_mut(field) {
            *found = json!("…");
        }
    }
    value
}

fn user_of(me: &Value) -> UserId {
    me["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_user_registers_logs_in_and_is_known() {
    let server = start().await;
    let form =
        json!({"email": " Ana@Example.org", "password": PASSWORD, "display_name": "Ana", "language": "es"});

    let (created, body) = server.post("/api/auth/register", "", form).await;
    let login = json!({"email": "ana@example.ORG", "password": PASSWORD});
    let (welcome, again) = server.post("/api/auth/login", "", login).await;
    let (known, me) = server.get("/api/auth/me", again["token"].as_str().unwrap()).await;

    assert_eq!((created, welcome, known), (201, 200, 200));
    assert_eq!(body["user"], me);
    insta::assert_snapshot!(redacted(body, &["/token", "/user/id"]), @r#"{"token":"…","user":{"id":"…","email":"ana@example.org","display_name":"Ana","language":"es","is_admin":false}}"#);
    server.stop().await;
}

#[tokio::test]
async fn forms_that_cannot_be_right_are_refused() {
    let server = start().await;
    let long = "x".repeat(256);
    let forms = [
        json!({"email": "ana", "password": PASSWORD}),
        json!({"email": "a@b.c", "password": "short"}),
        json!({"email": "a@b.c", "password": long}),
        json!({"email": "a@b.c", "password": PASSWORD, "language": "much-too-long"}),
        json!({"email": "a@b.c", "password": PASSWORD, "display_name": long}),
        json!({"email": "a@b.c"}),
        json!([1]),
        json!(["a@b.c", PASSWORD, null, "en"]),
    ];

    let mut seen = Vec::new();
    for form in forms {
        let (status, body) = server.post("/api/auth/register", "", form).await;
        seen.push(format!("{status} {}", body["error"].as_str().unwrap()));
    }

    insta::assert_snapshot!(seen.join("\n"), @"
    400 `email` must be an address such as `ana@example.org`
    400 `password` must have 8 to 128 characters
    400 `password` must have 8 to 128 characters
    400 `language` must have at most 10 characters
    400 `display_name` must have at most 255 characters
    400 body is not the expected JSON: missing field `password` at line 1 column 17
    400 body must be a JSON object
    400 body must be a JSON object
    ");
    server.stop().await;
}

#[tokio::test]
async fn one_address_is_registered_once_however_many_try() {
    let server = start().await;
    let form = || json!({"email": "ana@example.org", "password": PASSWORD});

    let tries = (0..16).map(|_| server.post("/api/auth/register", "", form()));
    let answers = futures_util::future::join_all(tries).await;

    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    let (_, taken) = answers.iter().find(|(status, _)| *status == 409).unwrap();
    assert_eq!(answers.iter().filter(|(status, _)| *status == 409).count(), 15);
    insta::assert_snapshot!(taken, @r#"{"error":"an account with this email exists; log in, or register with another one","code":"email_taken"}"#);
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let server = start().await;
    server.register("ana@example.org", "en").await;
    let login = |email| json!({"email": email, "password": "wrong password"});

    let wrong = server.post("/api/auth/login", "", login("ana@example.org")).await;
    let unknown = server.post("/api/auth/login", "", login("bea@example.org")).await;

    assert_eq!(wrong, unknown);
    assert_eq!(wrong.0, 401);
    insta::assert_snapshot!(wrong.1, @r#"{"error":"email or password is wrong; check both and try again","code":"wrong_credentials"}"#);
    server.stop().await;
}

#[test]
fn an_expired_token_says_what_to_do() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let token = server.register("ana@example.org", "en").await;
        lab.advance(Duration::from_secs(7 * 24 * 3600 - 1)).await.unwrap();
        assert_eq!(server.get("/api/auth/me", &token).await.0, 200);

        lab.advance(Duration::from_secs(1)).await.unwrap();
        let (status, body) = server.get("/api/auth/me", &token).await;

        assert_eq!(status, 401);
        insta::assert_snapshot!(body, @r#"{"error":"token has expired; log in again with POST /api/auth/login to get a new one","code":"token_expired"}"#);
    });
}

#[tokio::test]
async fn without_a_good_token_nobody_passes() {
    let server = start().await;

    let (none, body) = server.get("/api/reminders", "").await;
    let (bad, garbage) = server.get("/api/users/me/facts", "garbage").await;

    assert_eq!((none, bad), (401, 401));
    assert_eq!(body["code"], "no_token");
    assert_eq!(garbage["code"], "bad_token");
    server.stop().await;
}

#[tokio::test]
async fn a_reminder_lives_with_its_owner() {
    let server = start().await;
    let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
    let form = json!({"title": "Midwife", "reminder_time": "2026-12-01T14:00:00+02:00"});
    let (created, made) = server.post("/api/reminders", &ana, form).await;
    let path = format!("/api/reminders/{}", made["id"].as_str().unwrap());

    assert_eq!(created, 201);
    insta::assert_snapshot!(redacted(made, &["/id", "/created_at", "/updated_at"]), @r#"{"id":"…","title":"Midwife","reminder_time":"2026-12-01T14:00:00+02:00","is_completed":false,"created_at":"…","updated_at":"…"}"#);
    assert_eq!(server.put(&path, &bea, json!({"title": "Mine"})).await.0, 404);
    assert_eq!(server.delete(&path, &bea).await.0, 404);
    assert_eq!(server.put("/api/reminders/none", &ana, json!({})).await.0, 404);
    assert_eq!(server.put(&path, &ana, json!({"title": " "})).await.0, 400);
    let (changed, body) = server.put(&path, &ana, json!({"is_completed": true})).await;
    assert_eq!((changed, &body["is_completed"]), (200, &json!(true)));
    assert_eq!(server.get("/api/reminders", &ana).await.1[0]["reminder_time"], "2026-12-01T14:00:00+02:00");
    assert_eq!(server.get("/api/reminders", &bea).await, (200, json!([])));
    assert_eq!(server.delete(&path, &ana).await, (200, json!({"message": "reminder deleted"})));
    assert_eq!(server.delete(&path, &ana).await.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_reminder_without_title_or_time_is_refused() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let post = async |title: &str, time: &str| {
        let form = json!({"title": title, "reminder_time": time});
        server.post("/api/reminders", &token, form).await.0
    };

    assert_eq!(post("", "2026-12-01T14:00:00Z").await, 400);
    assert_eq!(post(&"é".repeat(256), "2026-12-01T14:00:00Z").await, 400);
    assert_eq!(post("Midwife", "2026-12-01 14:00").await, 400);
    assert_eq!(post(&"é".repeat(255), "2026-12-01T14:00:00Z").await, 201);
    server.stop().await;
}

/// Stores a suggestion for this user, proposed now, open for five minutes.
async fn suggest(lab: &Lab, server: &Server, user: UserId) -> SuggestionId {
    let at = lab.clock().wall();
    let new = NewSuggestion {
        id: SuggestionId::random(),
        user,
        kind: SuggestionType::Appointment,
        priority: Priority::High,
        title: "Midwife".to_owned(),
        description: String::new(),
        suggested_time: at,
        at,
        expires_at: at + Duration::from_mins(5),
    };
    let limits = SuggestionLimits { per_hour: 9, per_day: 9, pending_per_type: 9 };
    server.db.offer_suggestion(new.clone(), limits).await.unwrap();
    new.id
}

#[test]
fn a_suggestion_is_confirmed_within_its_five_minutes_and_once() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
        let user = user_of(&server.get("/api/auth/me", &ana).await.1);
        let (first, second) = (suggest(&lab, &server, user).await, suggest(&lab, &server, user).await);
        let confirm = async |token: &str, id: &str| {
            let time = "2027-01-15T14:00:00Z";
            let form = json!({"title": "Midwife", "reminder_time": time, "suggestion_id": id});
            server.post("/api/reminders", token, form).await
        };

        lab.advance(Duration::from_millis(299_900)).await.unwrap();
        assert_eq!(server.get("/api/suggestions", &ana).await.1.as_array().unwrap().len(), 2);
        assert_eq!(confirm(&bea, &first.to_string()).await.0, 404);
        assert_eq!(confirm(&ana, "nonsense").await.0, 404);
        let (created, made) = confirm(&ana, &first.to_string()).await;
        let (conflict, again) = confirm(&ana, &first.to_string()).await;
        lab.advance(Duration::from_millis(200)).await.unwrap();
        let (gone, expired) = confirm(&ana, &second.to_string()).await;

        assert_eq!((created, conflict, gone), (201, 409, 410));
        assert_eq!(again["reminder_id"], made["id"]);
        insta::assert_snapshot!(expired["error"], @r#""this suggestion is no longer open; ask in the chat again for a new one, or create the reminder without it""#);
        assert_eq!(server.get("/api/suggestions", &ana).await.1, json!([]));
    });
}

#[test]
fn a_suggestion_can_be_dismissed_by_its_owner() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
        let user = user_of(&server.get("/api/auth/me", &ana).await.1);
        let path = format!("/api/suggestions/{}/dismiss", suggest(&lab, &server, user).await);

        assert_eq!(server.post(&path, &bea, json!({})).await.0, 404);
        assert_eq!(server.post(&path, &ana, json!({})).await.0, 200);
        assert_eq!(server.post(&path, &ana, json!({})).await.0, 404);
    });
}

#[tokio::test]
async fn a_fact_is_read_and_written_with_its_version() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let path = "/api/users/me/facts/diet";

    assert_eq!(server.get(path, &token).await.0, 404);
    let (written, fact) = server.put(path, &token, json!({"value": "vegan", "version": 0})).await;
    let (conflict, other) = server.put(path, &token, json!({"value": "none", "version": 7})).await;
    assert_eq!(server.put(path, &token, json!({"value": "rice", "version": 1})).await.0, 200);
    assert_eq!(server.put(path, &token, json!({"value": "tea"})).await.1["version"], 3);

    assert_eq!((written, conflict), (200, 409));
    assert_eq!(other["fact"], fact);
    insta::assert_snapshot!(redacted(fact, &["/updated_at", "/expires_at"]), @r#"{"key":"diet","value":"vegan","confidence":1.0,"source":"user_edit","version":1,"updated_at":"…","expires_at":"…"}"#);
    let (_, history) = server.get("/api/users/me/facts/diet/history", &token).await;
    let values: Vec<_> = history.as_array().unwrap().iter().map(|r| r["value"].clone()).collect();
    assert_eq!(values, ["vegan", "rice", "tea"]);
    assert_eq!(server.get("/api/users/me/facts", &token).await.1[0]["value"], "tea");
    for wrong in ["Diet", "1a", "a-b", "a%20b", &"a".repeat(101)] {
        let path = format!("/api/users/me/facts/{wrong}");
        assert_eq!(server.put(&path, &token, json!({"value": "x"})).await.0, 400, "{wrong}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_fact_without_sense_is_refused_by_name() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let put = async |key: &str, form: Value| {
        let (status, body) = server.put(&format!("/api/users/me/facts/{key}"), &token, form).await;
        format!("{status} {}", body["error"].as_str().unwrap_or_default())
    };

    insta::assert_snapshot!(put("diet", json!({"value": " "})).await, @"400 `value` must not be empty");
    for wrong in ["-3 bananas", "0", "43", "20.5", "+20", "20 ", "99999999999"] {
        let told = put("pregnancy_week", json!({"value": wrong})).await;
        assert_eq!(told, "400 `pregnancy_week` must be a whole number from 1 to 42", "{wrong}");
    }
    assert_eq!(put("pregnancy_week", json!({"value": "42"})).await, "200 ");
    insta::assert_snapshot!(put("diet", json!({"value": "vegan", "version": 3})).await, @"409 no version of this fact is stored; send `version` 0 to write the first one, or leave it out");
    server.stop().await;
}

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
    futures_util::future::join_all((0..199).map(fact)).await;
    futures_util::future::join_all((0..999).map(|_| remind())).await;

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
    let unknown = server.get(&format!("{session}/{random}/messages"), &token).await;
    assert_eq!(unknown, server.get(&format!("{session}/x/messages"), &token).await);
    assert_eq!(unknown.0, 404);
    server.stop().await;
}

#[tokio::test]
async fn racing_writes_of_a_fact_are_all_done_and_all_remembered() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;

    let writes =
        (0..64).map(|i| server.put("/api/users/me/facts/diet", &token, json!({"value": format!("v{i}")})));
    let answers = futures_util::future::join_all(writes).await;

    let mut versions: Vec<_> = answers.iter().map(|(_, fact)| fact["version"].as_i64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=64).collect::<Vec<_>>());
    let (_, history) = server.get("/api/users/me/facts/diet/history", &token).await;
    for (_, fact) in answers {
        let place = usize::try_from(fact["version"].as_u64().unwrap()).unwrap() - 1;
        assert_eq!(history[place]["value"], fact["value"]);
    }
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
        let refused = server.request(Method::GET, "/ws/chat", "").send().await.unwrap();
        assert_eq!(refused.headers()["retry-after"], "1");
        let (status, body) = answer(server.request(Method::GET, "/ws/chat", "")).await;

        assert_eq!(status, 429);
        insta::assert_snapshot!(body, @r#"{"error":"too many requests from this address; try again in 1 s","code":"rate_limited","retry_after_ms":600,"policy":"http"}"#);
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
        insta::assert_snapshot!(body, @r#"{"error":"error.rate_limited in es with [(\"seconds\", \"8\")]","code":"rate_limited","retry_after_ms":7200,"policy":"user"}"#);
        lab.advance(Duration::from_secs(72)).await.unwrap();
        assert_eq!(passed(&server, "/api/reminders", &ana, 20).await, 10);
    });
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

#[tokio::test]
async fn an_unknown_route_or_method_is_plain_text() {
    let server = start().await;

    for path in ["/", "/api/nothing", "/api/auth/login"] {
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

    let response = server.request(Method::GET, "/api/reminders", "").send().await.unwrap();

    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("www-authenticate"), "Bearer");
    assert_eq!(header("x-request-id").len(), 36);
    assert!(header("date").ends_with(" GMT"));
    server.stop().await;
}

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
