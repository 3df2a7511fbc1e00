//! Languages over HTTP: added, changed, counted, preferred.

use std::{sync::Arc, time::Duration};

use clock::{Clock as _, Lab, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use server::{
    Config, Parts,
    languages::{AGE_MAX, START_LIMIT},
    storage::Database,
};

use super::{in_the_lab, redacted, start};
use crate::support::server::{answer, reply};

fn french() -> Value {
    json!({"code": "fr", "name": "French", "native_name": "Français"})
}

#[tokio::test]
async fn only_an_administrator_adds_a_language_f51() {
    let server = start().await;
    let (user, admin) = (server.register("ana@a.org", "en").await, server.register_admin("root@a.org").await);

    let nobody = server.post("/api/admin/languages", "", french()).await;
    let stranger = server.post("/api/admin/languages", &user, french()).await;
    let request = server.request(Method::POST, "/api/admin/languages", &admin).body(french().to_string());
    let added = reply(request).await;

    assert_eq!((nobody.0, stranger.0, added.status), (401, 403, 201));
    assert_eq!(added.headers["location"], "/api/admin/languages/fr");
    insta::assert_snapshot!(added.body, @r#"{"code":"fr","name":"French","native_name":"Français","is_enabled":true,"is_experimental":true}"#);
    let (_, enabled) = server.get("/api/languages", "").await;
    assert_eq!(enabled[2]["native_name"], "Français");
    server.stop().await;
}

#[tokio::test]
async fn of_twenty_who_add_one_language_at_once_one_does_f53() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;

    let posts = (0..20).map(|_| server.post("/api/admin/languages", &admin, french()));
    let answers = futures_util::future::join_all(posts).await;

    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == 409).collect();
    assert_eq!(refused.len(), 19);
    insta::assert_snapshot!(refused[0].1, @r#"{"error":"language `fr` already exists; change it with PUT /api/admin/languages/fr","code":"language_exists"}"#);
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_language_is_refused_in_words_f52_f55_f56() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;
    let post = async |form| server.post("/api/admin/languages", &admin, form).await;
    let put =
        async |code: &str, form| server.put(&format!("/api/admin/languages/{code}"), &admin, form).await;
    let portuguese = json!({"code": "pt", "name": "Portuguese", "native_name": "Português"});
    post(portuguese).await;

    let answers = [
        post(json!({"code": "fra", "name": "French", "native_name": "Français"})).await,
        post(json!({"code": "fr", "name": "", "native_name": "Français"})).await,
        post(json!({"code": "fr", "name": "French", "native_name": "F\u{7}"})).await,
        put("en", json!({"is_enabled": false})).await,
        put("pt", json!({})).await,
        put("fr", json!({"is_enabled": true})).await,
        put("pt", json!({"is_experimental": false})).await,
    ];

    let missing = answers[6].1["missing"].as_array().unwrap();
    let said = answers.iter().map(|(status, body)| format!("{status} {}", body["error"].as_str().unwrap()));
    let said = said
        .collect::<Vec<_>>()
        .join("\n")
        .replace(&format!("lacks {} texts", missing.len()), "lacks N texts");
    insta::assert_snapshot!(said, @"
    422 language code has 3 letters, and ISO 639-1 codes have two; write `fr`, not `fra` or `fr-CA`
    422 `name` is empty; write what the language is called
    422 `native_name` has control characters in it; leave them out
    409 English is what every other language falls back to; it stays enabled and stable
    400 nothing to change; send `is_enabled`, `is_experimental` or both
    404 language not found
    422 language `pt` lacks N texts and cannot be stable; write them with PUT /api/admin/languages/pt/texts/KEY, or keep it experimental
    ");
    assert!(missing.contains(&json!("safety.body")));
    server.stop().await;
}

#[tokio::test]
async fn the_list_tells_how_much_each_language_is_used_f57_f59() {
    let server = start().await;
    let admin = server.register_admin("root@a.org").await;
    server.post("/api/admin/languages", &admin, french()).await;
    for (n, language) in ["fr", "fr-CA", "fr", "es", "es-MX"].into_iter().enumerate() {
        server.register(&format!("u{n}@a.org"), language).await;
    }

    let (status, list) = server.get("/api/admin/languages", &admin).await;

    assert_eq!(status, 200);
    let row = |n: usize| list["languages"][n].to_string();
    insta::assert_snapshot!([row(0), row(1), row(2)].join("\n"), @r#"
    {"code":"en","name":"English","native_name":"English","is_enabled":true,"is_experimental":false,"user_count":1,"message_count":0,"missing_texts":0,"review":{"state":"unreviewed"}}
    {"code":"es","name":"Spanish","native_name":"Español","is_enabled":true,"is_experimental":false,"user_count":2,"message_count":0,"missing_texts":0,"review":{"state":"unreviewed"}}
    {"code":"fr","name":"French","native_name":"Français","is_enabled":true,"is_experimental":true,"user_count":3,"message_count":0,"missing_texts":0,"review":{"state":"unreviewed"}}
    "#);
    server.stop().await;
}

#[test]
fn a_broken_row_keeps_the_last_good_set_and_is_told_f54() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let admin = server.register_admin("root@a.org").await;
        server.post("/api/admin/languages", &admin, french()).await;
        server.sql("INSERT INTO languages VALUES ('xx', 'Broken', 'Broken', true, true)").await;
        lab.advance(Duration::from_secs(1)).await.unwrap();

        let (_, list) = server.get("/api/admin/languages", &admin).await;

        let codes: Vec<_> = list["languages"].as_array().unwrap().iter().map(|row| &row["code"]).collect();
        assert_eq!(codes, ["en", "es", "fr"]);
        insta::assert_snapshot!(list["problem"], @r#""row `xx` of `languages` cannot be used: language code `xx` is not in ISO 639-1; look up the two letters of the language; correct or delete it""#);
        server.sql("DELETE FROM languages WHERE code = 'xx'").await;
        lab.advance(Duration::from_secs(1)).await.unwrap();
        let (_, list) = server.get("/api/admin/languages", &admin).await;
        assert_eq!(list.get("problem"), None);
    });
}

#[test]
fn a_language_added_on_one_replica_is_there_on_the_other_a_second_later_f54() {
    in_the_lab(toml::Table::new(), async |lab, server| {
        let admin = server.register_admin("root@a.org").await;
        let replica = server.replica(Arc::new(lab.clock().clone())).await;
        let there = async || {
            let url = format!("http://{replica}/api/languages");
            answer(reqwest::Client::builder().no_proxy().build().unwrap().get(url)).await.1
        };
        assert_eq!(there().await.as_array().unwrap().len(), 2);

        server.post("/api/admin/languages", &admin, french()).await;
        lab.advance(AGE_MAX).await.unwrap();

        assert_eq!(there().await[2]["code"], "fr");
    });
}

#[test]
fn a_server_that_finds_no_languages_waits_and_then_says_why_f49() {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::open(&format!("sqlite:{}/chat.db", folder.path().display()), 1).await.unwrap();
        db.close().await;
        let began = lab.clock().now();
        let parts = Parts::usual(Config::default(), Arc::new(lab.clock().clone()), Arc::new(db));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ready = format!("http://{}/health/ready", listener.local_addr().unwrap());
        let running = tokio::spawn(server::run(listener, parts, std::future::pending()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let (status, body) = answer(client.get(ready)).await;
        assert_eq!(status, 503);
        assert_eq!(body["error"], "the languages have not been read yet; see the log of the server");

        while !running.is_finished() {
            lab.advance(Duration::from_secs(1)).await.unwrap();
        }

        assert!(lab.clock().now() >= began + START_LIMIT);
        let ended = running.await.unwrap().unwrap_err();
        insta::assert_snapshot!(ended, @"languages could not be read within 30 s: database failed: attempted to acquire a connection on a closed pool; check that the database runs");
    });
}

#[tokio::test]
async fn a_preference_is_kept_with_its_history_and_never_guessed_f66_f67() {
    let server = start().await;
    let (user, admin) = (server.register("ana@a.org", "en").await, server.register_admin("root@a.org").await);
    server
        .post(
            "/api/admin/languages",
            &admin,
            json!({"code": "pt", "name": "Portuguese", "native_name": "Português"}),
        )
        .await;
    let (_, me) = server.get("/api/auth/me", &user).await;
    let wish = async |language: &str| {
        server.put("/api/users/me/language", &user, json!({"language": language})).await
    };

    let (_, brazilian) = wish("pt-BR").await;
    let (_, german) = wish("de").await;
    let path = format!("/api/admin/users/{}/language", me["id"].as_str().unwrap());
    let (by_admin, _) = server.put(&path, &admin, json!({"language": "es"})).await;
    let (hostile, error) = wish("en'; drop").await;
    let (_, read) = server.get("/api/users/me/language", &user).await;

    assert_eq!((&brazilian["language"], &brazilian["used_fallback"]), (&json!("pt"), &json!(false)));
    assert_eq!((&german["language"], &german["used_fallback"]), (&json!("en"), &json!(true)));
    assert_eq!((by_admin, hostile), (200, 422));
    insta::assert_snapshot!(error["error"], @r#""`language` must be a tag such as `fr` or `pt-BR`: letters and digits joined by `-`, at most 35 characters""#);
    insta::assert_snapshot!(redacted(read, &["/history/0/at", "/history/1/at", "/history/2/at"]), @r#"{"preferred":"es","language":"es","used_fallback":false,"history":[{"from":"en","to":"pt-BR","at":"…","source":"user"},{"from":"pt-BR","to":"de","at":"…","source":"user"},{"from":"de","to":"es","at":"…","source":"admin"}]}"#);
    server.stop().await;
}
