//! The reference server on PostgreSQL, its lines to database and model led through gauntlet (S7).

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{port, postgres::Fresh};

/// Scenarios of the tag `infra` that show the real engine's side, and do not wait for minutes.
const SCENARIOS: [&str; 8] = [
    "chat_answers_while_its_database_is_away",
    "database_that_does_not_answer_costs_a_turn_its_patience",
    "slow_database_is_waited_for",
    "readiness_follows_the_database_and_liveness_does_not",
    "what_was_kept_before_an_outage_is_known_after_it",
    "nobody_is_a_stranger_because_the_database_is_away",
    "outage_of_database_and_model_at_once_is_told_in_words",
    "hundred_writes_of_64_writers_are_one_serial_order",
];

/// Where a PostgreSQL URL leads, as `[links.database]` has it.
fn end(url: &reqwest::Url) -> String {
    let folder = url.query_pairs().find(|(name, _)| name == "host").map(|(_, folder)| folder.into_owned());
    let port = url.port().unwrap_or(5432);
    folder.map_or_else(
        || format!("{}:{port}", url.host_str().unwrap()),
        |folder| format!("{folder}/.s.PGSQL.{port}"),
    )
}

/// Writes a target file; its settings are those that the file for a server as a process has.
fn write_target(folder: &Path, database: &reqwest::Url) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let usual = fs::read_to_string(root.join("docs/targets/process.toml")).unwrap();
    let (_, settings) = usual.split_once("[settings]").unwrap();
    let address = port::free();
    let (user, name, end) = (database.username(), database.path(), end(database));
    let text = format!(
        r#"
        schema = 1
        name = "reference on PostgreSQL"
        kind = "chat-v0"
        url = "http://{address}"
        capabilities = ["facts", "conversations", "kinds", "safety"]
        slack = "2s"
        [start]
        command = [
            "{gauntlet}", "serve", "--config", "{root}/docs/targets/process.server.toml", "--listen", "{{address}}",
            "--database", "postgres://{user}@{{database}}{name}?sslmode=disable",
        ]
        env = {{ DEEPSEEK_BASE_URL = "{{llm}}" }}
        health = "/health/ready"
        setting = "GAUNTLET__{{SETTING}}"
        [links]
        llm = "127.0.0.1:0"
        database = {{ to = "{end}" }}
        [settings]{settings}"#,
        gauntlet = env!("CARGO_BIN_EXE_gauntlet"),
        root = root.display(),
    );
    fs::write(folder.join("target.toml"), text).unwrap();
}

#[tokio::test]
async fn a_server_on_postgresql_keeps_its_word_while_its_database_is_away_s7() {
    let Some(database) = Fresh::database().await else { return };
    let folder = tempfile::tempdir().unwrap();
    write_target(folder.path(), &database.url.parse().unwrap());

    let output = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .arg("run")
        .args(SCENARIOS)
        .args(["--target", "target.toml"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("all 8 scenarios held"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    database.drop_database().await;
}
