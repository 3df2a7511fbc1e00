//! Preferences, undo, repeated requests and feeds, as clients meet them.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    in_the_lab, redacted,
    reminders::{suggest, user_of},
    start,
};
use crate::support::server::{Answer, Server, answer, reply};

const PREFERENCES: &str = "/api/users/me/preferences";
const TIME: &str = "2027-01-15T14:00:00+01:00";

async fn put(server: &Server, token: &str, tag: Option<&str>, body: Value) -> Answer {
    let request = server.request(Method::PUT, PREFERENCES, token).body(body.to_string());
    answer(tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))).await
}

async fn tag(server: &Server, token: &str) -> String {
    let reply = reply(server.request(Method::GET, PREFERENCES, token)).await;
    reply.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn preferences_begin_as_defaults_and_are_written_over_a_known_version_f85_f86() {
    let server = start().await;
    let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
    let (_, defaults) = server.get(PREFERENCES, &ana).await;
    insta::assert_snapshot!(defaults, @r#"{"time_zone":"UTC","default_reminder_time":"09:00","auto_create_low_priority":false,"require_confirm_for_urgent":true,"enable_smart_scheduling":false,"quiet_hours":{"from":"22:00","to":"08:00"}}"#);

    assert_eq!(put(&server, &ana, None, json!({})).await.0, 428);
    assert_eq!(put(&server, &ana, Some("new"), json!({})).await.0, 400);
    let first = tag(&server, &ana).await;
    let change = json!({"time_zone": "Europe/Madrid", "default_reminder_time": "18:30", "quiet_hours": null});
    assert_eq!(put(&server, &ana, Some(&first), change).await.0, 200);
    let (stale, body) = put(&server, &ana, Some(&first), json!({"time_zone": "UTC"})).await;
    let second = tag(&server, &ana).await;
    assert_eq!((stale, &body["etag"]), (412, &json!(second)));
    let (_, kept) = put(&server, &ana, Some("*"), json!({"enable_smart_scheduling": true})).await;

    insta::assert_snapshot!(kept, @r#"{"time_zone":"Europe/Madrid","default_reminder_time":"18:30","auto_create_low_priority":false,"require_confirm_for_urgent":true,"enable_smart_scheduling":true,"quiet_hours":null}"#);
    assert_eq!(server.get(PREFERENCES, &bea).await.1, defaults);
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_preference_is_named_f83_f85() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let mut refusals = Vec::new();
    for change in [
        json!({"time_zone": "Mars/Base"}),
        json!({"default_reminder_time": "9:00"}),
        json!({"default_reminder_time": "24:00"}),
        json!({"quiet_hours": {"from": "22:00"}}),
        json!({"colour": "red"}),
    ] {
        let (status, body) = put(&server, &ana, Some("*"), change).await;
        refusals.push(format!("{status} {}", body["error"].as_str().unwrap()));
    }

    insta::assert_snapshot!(refusals.join("\n"), @"
    422 `time_zone`: `Mars/Base` is no time zone; write one such as `Europe/Madrid` or `UTC`
    422 `default_reminder_time`: `9:00` is no time of day; write `HH:MM` from `00:00` to `23:59`
    422 `default_reminder_time`: `24:00` is no time of day; write `HH:MM` from `00:00` to `23:59`
    422 `to`: `` is no time of day; write `HH:MM` from `00:00` to `23:59`
    400 body is not the expected JSON: unknown field `colour`, expected one of `time_zone`, `default_reminder_time`, `auto_create_low_priority`, `require_confirm_for_urgent`, `enable_smart_scheduling`, `quiet_hours` at line 1 column 9
    ");
    assert_eq!(tag(&server, &ana).await, "\"0\"");
    server.stop().await;
}

#[test]
fn a_deleted_reminder_can_be_brought_back_for_a_day_f79() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
        let form = json!({"title": "Midwife", "reminder_time": TIME});
        let (_, made) = server.post("/api/reminders", &ana, form).await;
        let path = format!("/api/reminders/{}", made["id"].as_str().unwrap());
        let restore = async |token: &str| server.post(&format!("{path}/restore"), token, json!({})).await;

        assert_eq!(server.delete(&path, &ana).await.0, 200);
        lab.advance(Duration::from_secs(86_399)).await.unwrap();
        assert_eq!(restore(&bea).await.0, 404);
        assert_eq!(restore(&ana).await, (200, made));
        assert_eq!(server.delete(&path, &ana).await.0, 200);
        lab.advance(Duration::from_hours(24)).await.unwrap();
        let (gone, body) = restore(&ana).await;

        assert_eq!(gone, 410);
        insta::assert_snapshot!(body["error"], @r#""this reminder was deleted more than 24h ago; make a new one""#);
        assert_eq!(server.get("/api/reminders", &ana).await.1, json!([]));
    });
}

#[tokio::test]
async fn a_rollback_names_one_or_a_time_within_a_day_f87() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let (_, made) =
        server.post("/api/reminders", &ana, json!({"title": "Mine", "reminder_time": TIME})).await;
    let roll_back = async |which: Value| server.post("/api/reminders/rollback", &ana, which).await;

    assert_eq!(roll_back(json!({})).await.0, 400);
    assert_eq!(roll_back(json!({"id": made["id"], "since": TIME})).await.0, 400);
    assert_eq!(roll_back(json!({"since": "2020-01-01T00:00:00Z"})).await.0, 422);
    assert_eq!(roll_back(json!({"id": made["id"]})).await.0, 404, "it is the user's own");
    assert_eq!(roll_back(json!({"since": made["created_at"]})).await, (200, json!({"removed": []})));
    server.stop().await;
}

async fn post_with_key(server: &Server, token: &str, key: &str, body: Value) -> (Answer, bool) {
    let request = server.request(Method::POST, "/api/reminders", token).header("idempotency-key", key);
    let reply = reply(request.body(body.to_string())).await;
    ((reply.status, reply.body), reply.headers.contains_key("idempotency-replayed"))
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_reply_of_the_first_f76() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let form = json!({"title": "Midwife", "reminder_time": TIME});

    let (first, fresh) = post_with_key(&server, &ana, "\"a-1\"", form.clone()).await;
    let path = format!("/api/reminders/{}", first.1["id"].as_str().unwrap());
    server.put(&path, &ana, json!({"title": "Doctor"})).await;
    let (again, replayed) = post_with_key(&server, &ana, "a-1", form.clone()).await;
    let (other, _) =
        post_with_key(&server, &ana, "a-1", json!({"title": "Doctor", "reminder_time": TIME})).await;
    let (refused, _) = post_with_key(&server, &ana, "\"\"", form).await;

    assert_eq!((first.0, fresh, replayed), (201, false, true));
    assert_eq!(again, first, "the reply of then, whatever has changed since");
    assert_eq!((other.0, &other.1["code"], refused.0), (422, &json!("key_reused"), 400));
    assert_eq!(server.get("/api/reminders", &ana).await.1.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn fifty_requests_at_once_with_one_key_make_one_reminder_f76() {
    let server = start().await;
    let ana = server.register("ana@a.org", "en").await;
    let form = json!({"title": "Midwife", "reminder_time": TIME});

    let posts = (0..50).map(|_| post_with_key(&server, &ana, "a-1", form.clone()));
    let answers = join_all(posts).await;

    let is_fresh = |((status, _), is_replay): &&(Answer, bool)| *status == 201 && !is_replay;
    let fresh: Vec<_> = answers.iter().filter(is_fresh).collect();
    assert_eq!(fresh.len(), 1);
    for (answer, is_replay) in answers.iter().filter(|answer| !is_fresh(answer)) {
        let is_early = answer.0 == 409 && answer.1["code"] == "request_running";
        assert!(is_early || (*is_replay && *answer == fresh[0].0), "{answer:?}");
    }
    assert_eq!(post_with_key(&server, &ana, "a-1", form).await, (fresh[0].0.clone(), true));
    assert_eq!(server.get("/api/reminders", &ana).await.1.as_array().unwrap().len(), 1);
    server.stop().await;
}

#[test]
fn an_appointment_needs_the_time_that_the_user_has_confirmed_f77() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let ana = server.register("ana@a.org", "en").await;
        let user = user_of(&server.get("/api/auth/me", &ana).await.1);
        let id = suggest(&lab, &server, user).await;
        let post = async |confirmed: Value| {
            let form = json!({
                "title": "Midwife", "reminder_time": TIME, "suggestion_id": id, "confirmed_time": confirmed,
            });
            server.post("/api/reminders", &ana, form).await
        };

        let (missing, body) = post(Value::Null).await;
        let (other, _) = post(json!("2027-01-15T15:00:00+01:00")).await;
        let (malformed, _) = post(json!(true)).await;
        let (made, _) = post(json!("2027-01-15T13:00:00Z")).await;

        assert_eq!((missing, other, malformed, made), (422, 422, 400, 201));
        insta::assert_snapshot!(redacted(body, &[]), @r#"{"error":"this entry needs a time that the user has confirmed; show the time, and send it as `confirmed_time` too","code":"time_not_confirmed"}"#);
    });
}

#[tokio::test]
async fn a_feed_is_read_by_its_address_alone_until_there_is_another_f150() {
    const FEED: &str = "/api/users/me/calendar-feed";
    let server = start().await;
    let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
    server.post("/api/reminders", &ana, json!({"title": "Midwife", "reminder_time": TIME})).await;
    server.post("/api/reminders", &bea, json!({"title": "Cot", "reminder_time": TIME})).await;
    let open = async || {
        let (status, feed) = server.post(FEED, &ana, json!({})).await;
        assert_eq!(status, 201);
        feed["path"].as_str().unwrap().to_owned()
    };

    assert_eq!(server.get(FEED, &ana).await.0, 404);
    let first = open().await;
    let (status, text) = server.get(&first, "").await;
    let text = text.as_str().unwrap().to_owned();
    assert_eq!((status, text.contains("SUMMARY:Midwife\r\n"), text.contains("Cot")), (200, true, false));
    assert_eq!(server.get(FEED, &ana).await.0, 200);
    assert_eq!(server.get("/calendar/guess.ics", "").await.0, 404);
    assert_eq!(server.get(&format!("/calendar/{}.ics", "0".repeat(64)), "").await.0, 404);
    let second = open().await;
    assert_eq!((server.get(&first, "").await.0, server.get(&second, "").await.0), (404, 200));
    assert_eq!(server.delete(FEED, &ana).await.0, 200);
    assert_eq!((server.get(&second, "").await.0, server.delete(FEED, &ana).await.0), (404, 404));
    server.stop().await;
}
