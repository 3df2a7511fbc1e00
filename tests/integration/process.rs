//! The server as a process: what is still there after it was killed, and what stops it from starting.

use std::{path::Path, process::Command};

use mock_deepseek::MockDeepSeek;
use serde_json::json;

use crate::support::served::{Served, client, say, serve};

fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_everything_that_was_acknowledged_is_back() {
    let (folder, llm) = (tempfile::tempdir().unwrap(), MockDeepSeek::start().await.unwrap());
    let database = folder.path().join("chat.db");
    let account = json!({"email": "ana@example.org", "password": "a long password"});

    let before = Served::start(serve(&sqlite(&database), &llm.url()));
    let token =
        before.post("/api/auth/register", account.clone()).await["token"].as_str().unwrap().to_owned();
    let fact = format!("http://{}/api/users/me/facts/diet", before.address);
    before.call(client().put(fact).bearer_auth(&token).json(&json!({"value": "vegan"}))).await;
    say(before.address, &token, "I have a mild headache.").await;
    let suggestions = before.get("/api/suggestions", &token).await;
    drop(before);

    let after = Served::start(serve(&sqlite(&database), &llm.url()));
    let token = after.post("/api/auth/login", account).await["token"].as_str().unwrap().to_owned();
    let session = after.get("/api/conversations", &token).await[0]["id"].as_str().unwrap().to_owned();
    let messages = after.get(&format!("/api/conversations/{session}/messages"), &token).await;
    assert_eq!(after.get("/api/users/me/facts/diet", &token).await["value"], "vegan");
    assert_eq!(messages[0]["content"], "I have a mild headache.");
    assert_eq!(messages[1]["kind"], "answer");
    assert_eq!(suggestions.as_array().unwrap().len(), 1);
    assert_eq!(after.get("/api/suggestions", &token).await, suggestions);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_file_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("chat.db");
    let _first = Served::start(serve(&sqlite(&database), "http://127.0.0.1:9"));

    let second = serve(&sqlite(&database), "http://127.0.0.1:9").output().unwrap();

    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(4), "{told}");
    assert!(told.contains("chat.db") && told.contains("another"), "{told}");
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let refused = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", "postgres://ann:hunter2@127.0.0.1:9/chat"])
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains("127.0.0.1:9") && !told.contains("hunter2"), "{told}");
}
