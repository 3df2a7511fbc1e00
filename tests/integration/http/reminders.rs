//! Reminders, and the suggestions that they come from.

use std::time::Duration;

use clock::{Clock, Lab};
use futures_util::future::join_all;
use serde_json::{Value, json};
use server::{
    ids::{SuggestionId, UserId},
    storage::{NewSuggestion, Priority, Storage, SuggestionLimits, SuggestionType},
};

use super::{in_the_lab, redacted, start};
use crate::support::server::{PASSWORD, Server};

pub(super) fn user_of(me: &Value) -> UserId {
    me["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_reminder_lives_with_its_owner() {
    let server = start().await;
    let (ana, bea) = (server.register("ana@a.org", "en").await, server.register("bea@a.org", "en").await);
    let form = json!({"title": "Midwife", "reminder_time": "2026-12-01T14:00:00+02:00"});
    let (created, made) = server.post("/api/reminders", &ana, form).await;
    let path = format!("/api/reminders/{}", made["id"].as_str().unwrap());

    assert_eq!(created, 201);
    insta::assert_snapshot!(redacted(made, &["/id", "/created_at", "/updated_at"]), @r#"{"id":"…","title":"Midwife","reminder_time":"2026-12-01T14:00:00+02:00","is_completed":false,"priority":"medium","origin":"user","created_at":"…","updated_at":"…"}"#);
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
pub(super) async fn suggest(lab: &Lab, server: &Server, user: UserId) -> SuggestionId {
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
    let limits = SuggestionLimits {
        per_hour: 9,
        per_day: 9,
        pending_per_type: 9,
        open_reminders: 9,
        ignored_in_row: 9,
        pause: Duration::from_hours(1),
        quality_min: 0.0,
        quality_window: Duration::from_hours(1),
    };
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
            let form = json!({
                "title": "Midwife", "reminder_time": time, "confirmed_time": time, "suggestion_id": id,
            });
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
fn of_fifty_confirmations_at_once_one_makes_a_reminder_f76() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let phone = server.register("ana@a.org", "en").await;
        let login = json!({"email": "ana@a.org", "password": PASSWORD});
        let tablet = server.post("/api/auth/login", "", login).await.1["token"].as_str().unwrap().to_owned();
        let user = user_of(&server.get("/api/auth/me", &phone).await.1);
        let id = suggest(&lab, &server, user).await.to_string();
        let confirm = async |n: usize| {
            let time = "2027-02-01T09:00:00Z";
            let form = json!({
                "title": format!("Midwife {n}"), "reminder_time": time, "confirmed_time": time, "suggestion_id": id,
            });
            server.post("/api/reminders", if n.is_multiple_of(2) { &phone } else { &tablet }, form).await
        };

        let answers = join_all((0..50).map(confirm)).await;

        let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|(status, _)| *status == 201);
        assert_eq!((made.len(), refused.len()), (1, 49));
        let id = &made[0].1["id"];
        for (status, body) in refused {
            assert_eq!((*status, &body["reminder_id"]), (409, id), "{body}");
        }
        let (_, stored) = server.get("/api/reminders", &phone).await;
        assert_eq!((stored.as_array().unwrap().len(), &stored[0]["id"]), (1, id));
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

#[test]
fn administrators_read_how_each_type_of_suggestion_was_received_f80() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let (ana, admin) =
            (server.register("ana@a.org", "en").await, server.register_admin("eva@a.org").await);
        let user = user_of(&server.get("/api/auth/me", &ana).await.1);
        let first = suggest(&lab, &server, user).await;
        suggest(&lab, &server, user).await;
        server.post(&format!("/api/suggestions/{first}/dismiss"), &ana, json!({})).await;

        let (status, mut body) = server.get("/api/admin/suggestions", &admin).await;

        assert_eq!(status, 200, "{body}");
        insta::assert_snapshot!(body["types"].take(), @r#"[{"type":"symptom_followup","pending":0,"confirmed":0,"dismissed":0,"ignored":0,"quality":0.5},{"type":"appointment","pending":1,"confirmed":0,"dismissed":1,"ignored":0,"quality":0.3333333333333333},{"type":"reminder","pending":0,"confirmed":0,"dismissed":0,"ignored":0,"quality":0.5}]"#);
        lab.advance(Duration::from_mins(5)).await.unwrap();
        let (_, body) = server.get("/api/admin/suggestions", &admin).await;
        assert_eq!((&body["types"][1]["pending"], &body["types"][1]["ignored"]), (&json!(0), &json!(1)));
        assert_eq!(server.get("/api/admin/suggestions", &ana).await.0, 403);
    });
}
