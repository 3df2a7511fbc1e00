//! Whether every write of the API stands in the audit log: the list is the one of the API's document, so that no route is
//! forgotten here.

use reqwest::Method;
use serde_json::{Value, json};

use super::start;
use crate::support::server::{PASSWORD, Server, answer};

/// What is kept under a word of its own, not under its route.
const NAMED: [(&str, &str); 2] = [("POST /api/auth/register", "register"), ("POST /api/auth/login", "login")];

/// What leaves no row, and why.
const EXCUSED: [(&str, &str); 1] =
    [("POST /api/auth/refresh", "nothing of a user's is written; a token that is used twice leaves a row")];

/// Returns what writes by its method, such as `PUT /api/reminders/{id}`.
fn writes() -> Vec<String> {
    let document = server::api::document().unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let calls = paths.flat_map(|(path, at)| {
        let methods = at.as_object().unwrap().keys().filter(|method| *method != "get" && *method != "head");
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    calls.collect()
}

/// Returns the rows of the log behind a position, from the oldest.
async fn rows_behind(server: &Server, reader: &str, position: u64) -> Vec<Value> {
    let (status, page) = server.get("/api/admin/audit", reader).await;
    assert_eq!(status, 200, "{page}");
    let rows = page["rows"].as_array().unwrap().iter().rev();
    rows.filter(|row| row["position"].as_u64().unwrap() > position).cloned().collect()
}

/// Makes a call as somebody who was never seen before, with nothing in the place of ids and fields, and returns the rows
/// that it leaves, as `ACTOR ACTION`.
async fn left_by(server: &Server, reader: &str, (number, call): (usize, &str)) -> Vec<String> {
    let (method, path) = call.split_once(' ').unwrap();
    let email = format!("user{number}@a.org");
    let is_admin = path.starts_with("/api/admin/");
    let token =
        if is_admin { server.register_admin(&email).await } else { server.register(&email, "en").await };
    let last = rows_behind(server, reader, 0).await.last().unwrap()["position"].as_u64().unwrap();
    let body = match call {
        "POST /api/auth/register" => json!({"email": format!("new.{email}"), "password": PASSWORD}),
        "POST /api/auth/login" => json!({"email": email, "password": PASSWORD}),
        _ => json!({}),
    };
    let path: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();

    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let (status, _) = answer(server.request(method, &path.join("/"), &token).body(body.to_string())).await;

    assert!(status != 401 && status < 500, "{call}: {status}");
    let rows = rows_behind(server, reader, last + 1).await;
    rows.iter().map(|row| format!("{} {}", row["actor"], row["action"]).replace('"', "")).collect()
}

#[tokio::test]
async fn every_write_of_the_api_leaves_one_row_or_has_an_excuse_f107() {
    let server = start().await;
    let reader = server.register_admin("reader@a.org").await;
    let writes = writes();
    for (call, why) in EXCUSED {
        assert!(writes.iter().any(|write| write == call), "{call} is no write, yet excused: {why}");
    }

    let mut wrong = Vec::new();
    for (number, call) in writes.iter().enumerate() {
        let left = left_by(&server, &reader, (number, call)).await;
        let actor = if call.contains(" /api/admin/") { "admin" } else { "user" };
        let action = NAMED.iter().find(|(named, _)| named == call).map_or(call.as_str(), |(_, word)| word);
        let is_excused = EXCUSED.iter().any(|(excused, _)| excused == call);
        let expected = if is_excused { Vec::new() } else { vec![format!("{actor} {action}")] };
        if left != expected {
            wrong.push(format!("{call}: {left:?}"));
        }
    }

    assert!(wrong.is_empty(), "no row, or another one: {wrong:#?}");
    assert!(writes.len() > 35, "{writes:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_leaves_a_row_f107() {
    let server = start().await;
    let reader = server.register_admin("reader@a.org").await;
    let form = json!({"email": "ana@a.org", "password": PASSWORD});
    let (_, registered) = server.post("/api/auth/register", "", form).await;
    let refresh = json!({"refresh_token": registered["refresh_token"]});
    assert_eq!(server.post("/api/auth/refresh", "", refresh.clone()).await.0, 200);

    assert_eq!(server.post("/api/auth/refresh", "", refresh).await.0, 401);

    let rows = rows_behind(&server, &reader, 0).await;
    let row = rows.last().unwrap();
    assert_eq!((&row["actor"], &row["subject_id"]), (&json!("nobody"), &registered["user"]["id"]));
    assert_eq!(row["action"], "refresh token used twice");
    assert_eq!(row["outcome"], "device logged out");
    server.stop().await;
}
