//! Administrators: their second factor, their keys, and what is kept of all that.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use server::storage::{AccessStorage, Storage};
use sha1::Sha1;

use super::{in_the_lab, redacted, start};
use crate::support::server::{Server, answer};

/// Registers an administrator and returns the token.
async fn admin(server: &Server, email: &str) -> String {
    let token = server.register(email, "en").await;
    let user = server.db.credentials(email).await.unwrap().unwrap().user;
    server.db.set_admin(user.id, true).await.unwrap();
    token
}

/// What a phone would show for this secret in so many half minutes of 1970 (RFC 6238), written here once more.
fn code(secret: &str, second: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(&BASE32_NOPAD.decode(secret.as_bytes()).unwrap()).unwrap();
    mac.update(&(second / 30).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// The time at which the laboratory begins.
const BEGINNING: u64 = 1_800_000_000;

#[test]
fn an_administrator_with_a_second_factor_gives_it_and_again_after_half_an_hour_f144() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let token = admin(&server, "ana@example.org").await;
        let blocks = async || server.get("/api/admin/blocks", &token).await;
        let give = async |code: String| {
            server.post("/api/auth/second-factor/verify", &token, json!({"code": code})).await
        };
        assert_eq!(blocks().await.0, 200, "there is none, and none is demanded");
        let (status, offer) = server.post("/api/auth/second-factor", &token, json!({})).await;
        assert_eq!(status, 201);
        let secret = offer["secret"].as_str().unwrap().to_owned();

        assert_eq!(give("000000x".to_owned()).await.0, 403);
        assert_eq!(give(code(&secret, BEGINNING)).await.0, 200);

        assert_eq!(blocks().await.0, 200);
        let (status, used) = give(code(&secret, BEGINNING)).await;
        insta::assert_snapshot!(format!("{status} {used}"), @r#"403 {"error":"one-time password is wrong or was used; wait for the next one","code":"wrong_code"}"#);
        assert_eq!(server.post("/api/auth/second-factor", &token, json!({})).await.0, 409);
        lab.advance(Duration::from_mins(29)).await.unwrap();
        assert_eq!(blocks().await.0, 200, "not idle for long enough");
        lab.advance(Duration::from_mins(29)).await.unwrap();
        assert_eq!(blocks().await.0, 200, "a call counts as a sign of life");
        lab.advance(Duration::from_mins(30)).await.unwrap();
        let (status, needed) = blocks().await;
        insta::assert_snapshot!(format!("{status} {needed}"), @r#"403 {"error":"a one-time password is needed; send it with POST /api/auth/second-factor/verify","code":"second_factor_needed"}"#);
        assert_eq!(give(code(&secret, BEGINNING + 88 * 60)).await.0, 200);
        assert_eq!(blocks().await.0, 200);
        let login = json!({"email": "ana@example.org", "password": crate::support::server::PASSWORD});
        let (_, other) = server.post("/api/auth/login", "", login).await;
        let (status, _) = server.get("/api/admin/blocks", other["token"].as_str().unwrap()).await;
        assert_eq!(status, 403, "each device gives its own");
    });
}

#[tokio::test]
async fn a_key_is_shown_once_and_forms_without_sense_are_refused_f144() {
    let server = start().await;
    let token = admin(&server, "ana@example.org").await;
    let make = async |form: Value| server.post("/api/admin/api-keys", &token, form).await;

    let (status, answer) = make(json!({"name": "report", "scopes": ["audit:read"]})).await;

    assert_eq!(status, 201, "{answer}");
    assert!(answer["key"].as_str().unwrap().starts_with(answer["prefix"].as_str().unwrap()));
    let (_, listed) = server.get("/api/admin/api-keys", &token).await;
    let hidden = ["/0/id", "/0/prefix", "/0/user_id", "/0/created_at", "/0/expires_at"];
    insta::assert_snapshot!(redacted(listed, &hidden), @r#"[{"id":"…","name":"report","prefix":"…","scopes":["audit:read"],"user_id":"…","created_at":"…","expires_at":"…"}]"#);
    let forms = [
        json!({"name": " ", "scopes": ["audit:read"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["users:write"]}),
        json!({"name": "x", "scopes": ["audit:read"], "expires_in_days": 366}),
    ];
    let mut seen = Vec::new();
    for form in forms {
        let (status, body) = make(form).await;
        seen.push(format!("{status} {}", body["error"].as_str().unwrap()));
    }
    insta::assert_snapshot!(seen.join("\n"), @"
    400 `name` is empty; say what the key is for
    400 `scopes` must have 1 to 20 entries, such as `audit:read`
    400 no key opens `users`; leave `users:write` out and log in for that
    400 `expires_in_days` must be 1 to 365
    ");
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_and_users_are_turned_away_f144() {
    let server = start().await;
    let (admin, user) = (admin(&server, "ana@a.org").await, server.register("bea@a.org", "en").await);
    let nobody = "00000000-0000-4000-8000-000000000000";

    let role = json!({"is_admin": true});
    assert_eq!(server.put(&format!("/api/admin/users/{nobody}/role"), &admin, role.clone()).await.0, 404);
    assert_eq!(server.delete(&format!("/api/admin/blocks/{nobody}"), &admin).await.0, 404);
    assert_eq!(server.delete("/api/admin/api-keys/x", &admin).await.0, 404);
    assert_eq!(server.get("/api/admin/audit?limit=201", &admin).await.0, 400);
    for path in ["audit", "blocks", "api-keys"] {
        assert_eq!(server.get(&format!("/api/admin/{path}"), &user).await.0, 403, "{path}");
        assert_eq!(server.get(&format!("/api/admin/{path}"), "").await.0, 401, "{path}");
    }
    assert_eq!(server.put(&format!("/api/admin/users/{nobody}/role"), &user, role).await.0, 403);
    server.stop().await;
}

#[tokio::test]
async fn a_row_tells_who_wrote_where_and_how_it_ended_f107() {
    let server = start().await;
    let admin = admin(&server, "ana@a.org").await;
    let token = server.register("bea@a.org", "en").await;
    let nothing = || json!({});
    server.put("/api/users/me/facts/diet", &token, json!({"value": "vegan"})).await;
    server.post("/api/reminders", &token, nothing()).await;
    server.put("/api/reminders/x", &token, nothing()).await;
    server.delete("/api/reminders/x", &token).await;
    server.post("/api/suggestions/x/dismiss", &token, nothing()).await;
    server.post("/api/conversations/current/end", &token, nothing()).await;
    server.post("/api/auth/ws-ticket", &token, nothing()).await;
    server.post("/api/auth/second-factor", &token, nothing()).await;
    server.delete("/api/auth/devices/x", &token).await;
    server.get("/api/users/me/facts", &token).await;
    server.post("/api/auth/logout", &token, nothing()).await;

    let (_, page) = server.get("/api/admin/audit", &admin).await;

    let rows = page["rows"].as_array().unwrap().iter().rev();
    let line = |row: &Value| {
        let of = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        let own = if row["subject_id"] == row["actor_id"] { "own" } else { "other" };
        format!("{} {} {own} {}", of("actor"), of("action"), of("outcome"))
    };
    insta::assert_snapshot!(rows.map(line).collect::<Vec<_>>().join("\n"), @"
    user register own ok
    user register own ok
    user PUT /api/users/me/facts/{key} own 200
    user POST /api/reminders own 400
    user PUT /api/reminders/{id} own 404
    user DELETE /api/reminders/{id} own 404
    user POST /api/suggestions/{id}/dismiss own 404
    user POST /api/conversations/current/end own 200
    user POST /api/auth/ws-ticket own 200
    user POST /api/auth/second-factor own 201
    user DELETE /api/auth/devices/{id} own 404
    user POST /api/auth/logout own 200
    ");
    server.stop().await;
}

#[tokio::test]
async fn every_change_of_languages_texts_and_words_leaves_a_row_that_tells_what_it_made_f107() {
    let server = start().await;
    let admin = admin(&server, "ana@a.org").await;
    let at = |path: &str| format!("/api/admin/languages{path}");
    let french = json!({"code": "fr", "name": "French", "native_name": "Français"});
    let (text, table) = (json!({"text": "Salut !"}), "term,preferred,avoid\ncol,col de l'utérus,\n");
    server.post(&at(""), &admin, french).await;
    server.put(&at("/fr"), &admin, json!({"is_enabled": false})).await;
    server.put(&at("/fr"), &admin, json!({"is_enabled": true, "is_experimental": false})).await;
    server.put(&at("/en"), &admin, json!({"is_enabled": false})).await;
    server.put(&at("/fr/texts/canned.greeting"), &admin, text).await;
    server.post(&at("/fr/texts/canned.greeting/versions/1/restore"), &admin, json!({})).await;
    server.put(&at("/fr/symptom-words/naus%C3%A9e"), &admin, json!({})).await;
    server.put(&at("/fr/symptom-words/je"), &admin, json!({})).await;
    server.delete(&at("/fr/symptom-words/nausee"), &admin).await;
    for table in [table, "Lighthouse"] {
        let request = server.request(reqwest::Method::PUT, &at("/fr/glossary.csv"), &admin);
        answer(request.body(table)).await;
    }

    let (_, page) = server.get("/api/admin/audit", &admin).await;

    let rows = page["rows"].as_array().unwrap().iter().rev().filter(|row| row["actor"] == "admin");
    let line = |row: &Value| {
        let of = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} | {}", of("action").split(' ').next().unwrap(), of("target"), of("outcome"))
    };
    insta::assert_snapshot!(rows.map(line).collect::<Vec<_>>().join("\n"), @"
    POST /api/admin/languages | 201, enabled, experimental
    PUT /api/admin/languages/fr | 200, disabled
    PUT /api/admin/languages/fr | 200, enabled, stable
    PUT /api/admin/languages/{code} | 409
    PUT /api/admin/languages/fr/texts/canned.greeting | 200
    POST /api/admin/languages/fr/texts/canned.greeting/versions/1/restore | 200
    PUT /api/admin/languages/fr/symptom-words/naus%C3%A9e | 201
    PUT /api/admin/languages/{code}/symptom-words/{word} | 422
    DELETE /api/admin/languages/fr/symptom-words/nausee | 200
    PUT /api/admin/languages/fr/glossary.csv | 200, terms: 1
    PUT /api/admin/languages/{code}/glossary.csv | 422
    ");
    server.stop().await;
}
