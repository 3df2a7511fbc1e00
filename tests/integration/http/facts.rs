//! Facts about a user: versions, values without sense, writers that race.

use serde_json::{Value, json};

use super::{redacted, start};

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
async fn a_fact_is_deleted_by_its_user_only_and_its_history_stays_f46() {
    let server = start().await;
    let token = server.register("ana@a.org", "en").await;
    let stranger = server.register("eve@a.org", "en").await;
    let path = "/api/users/me/facts/diet";
    server.put(path, &token, json!({"value": "vegan"})).await;

    assert_eq!(server.delete(path, &stranger).await.0, 404);
    let (stale, told) = server.delete(&format!("{path}?version=7"), &token).await;
    let (deleted, body) = server.delete(&format!("{path}?version=1"), &token).await;
    let (again, _) = server.delete(path, &token).await;

    assert_eq!((stale, deleted, again), (409, 200, 404));
    insta::assert_snapshot!(told["error"].as_str().unwrap(), @"another version of this fact is stored; see `fact`, and send its `version` to delete it");
    insta::assert_snapshot!(body, @r#"{"message":"fact deleted","version":2}"#);
    assert_eq!(server.get(path, &token).await.0, 404);
    assert_eq!(server.get("/api/users/me/facts", &token).await.1, json!([]));
    let (_, history) = server.get("/api/users/me/facts/diet/history", &token).await;
    assert_eq!((&history[0]["ended"], &history[1]["ended"]), (&Value::Null, &json!(true)));
    assert_eq!(server.delete(&format!("{path}?version=x"), &token).await.0, 400);
    assert_eq!(server.delete("/api/users/me/facts/Diet", &token).await.0, 400);
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
