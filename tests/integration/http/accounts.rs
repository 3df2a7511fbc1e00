//! Accounts: registering, logging in, and tokens that are good or not.

use std::time::Duration;

use serde_json::json;

use super::{in_the_lab, redacted, start};
use crate::support::server::PASSWORD;

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
    insta::assert_snapshot!(redacted(body["user"].clone(), &["/id"]), @r#"{"id":"…","email":"ana@example.org","display_name":"Ana","language":"es","is_admin":false}"#);
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
