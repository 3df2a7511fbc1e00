//! Databases that are not opened: in use, not there, or none at all.

use std::time::Duration;

use clock::{Clock as _, Lab, Timestamp};
use server::{
    languages::START_LIMIT,
    storage::{Database, OpenError},
};

use super::CONNECTIONS;

#[tokio::test]
async fn a_second_server_on_the_same_file_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/chat.db", folder.path().display());
    let first = Database::open(&url, CONNECTIONS).await.unwrap();

    let refused = Database::open(&url, CONNECTIONS).await.unwrap_err();

    assert!(matches!(refused, OpenError::InUse { .. }));
    let message = refused.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(message, @"database file `FOLDER/chat.db` is in use by another server; stop that one, or give this one another file in `database.url`");
    first.close().await;
    assert!(Database::open(&url, CONNECTIONS).await.is_ok());
}

#[tokio::test]
async fn a_file_is_one_file_by_whatever_name() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("chat.db"), folder.path().join("link.db"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let through_link = Database::open(&format!("sqlite:{}", link.display()), CONNECTIONS).await.unwrap();

    let direct = Database::open(&format!("sqlite:{}", file.display()), CONNECTIONS).await;
    let around = format!("sqlite:{}/../{}", folder.path().display(), folder_name(&folder));
    let around = Database::open(&format!("{around}/chat.db"), CONNECTIONS).await;

    assert!(matches!(direct, Err(OpenError::InUse { .. })));
    assert!(matches!(around, Err(OpenError::InUse { .. })));
    assert!(!folder.path().join("link.db.lock").exists());
    through_link.close().await;
}

fn folder_name(folder: &tempfile::TempDir) -> String {
    folder.path().file_name().unwrap().to_string_lossy().into_owned()
}

#[tokio::test]
async fn what_is_no_file_or_no_database_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, text) = (folder.path().join("folder"), folder.path().join("text.db"));
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(&text, "Dear diary, this is no database at all.".repeat(99)).unwrap();
    let told = async |path: &std::path::Path| {
        refusal(&format!("sqlite:{}", path.display()))
            .await
            .replace(&folder.path().display().to_string(), "FOLDER")
    };

    insta::assert_snapshot!(told(&inner).await, @"database `FOLDER/folder` is not a file; name a file in `database.url`, or one that is not there yet");
    insta::assert_snapshot!(told(std::path::Path::new("/dev/null")).await, @"database `/dev/null` is not a file; name a file in `database.url`, or one that is not there yet");
    insta::assert_snapshot!(told(&text).await, @"`FOLDER/text.db` is not a SQLite database; name another file in `database.url`");
    assert!(!folder.path().join("folder.lock").exists());
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("Dear diary"));
}

#[tokio::test]
async fn a_postgres_that_says_nothing_is_given_up() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();

    let told = refusal(&format!("postgres://ana:s3cret@127.0.0.1:{port}/chat")).await;

    insta::assert_snapshot!(told.replace(&port.to_string(), "PORT"), @"database `127.0.0.1:PORT/chat` does not answer within 5 s; check that it is a PostgreSQL that is not overloaded");
}

async fn refusal(url: &str) -> String {
    Database::open(url, 1).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let unreachable = refusal("postgres://ana:s3cret@127.0.0.1:1/chat").await;

    insta::assert_snapshot!(unreachable, @"database `127.0.0.1:1/chat` cannot be reached: error communicating with database: Connection refused (os error 111); check that it runs and what `database.url` says");
    insta::assert_snapshot!(refusal("sqlite:/nowhere/at/all/chat.db").await, @"database file `/nowhere/at/all/chat.db` cannot be opened: No such file or directory (os error 2); check that its folder exists and is writable");
    insta::assert_snapshot!(refusal("mysql://ana:s3cret@host/chat").await, @"`database.url` begins with `mysql`, expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`");
    insta::assert_snapshot!(refusal("sqlite::memory:").await, @"`database.url` cannot be read: `:memory:` is not the path of a file; write `sqlite:PATH` without parameters");
    insta::assert_snapshot!(refusal("chat.db").await, @"`database.url` cannot be read: it names no engine; write `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`");
    assert!(!refusal("postgres://ana:s3cret@host:port/chat").await.contains("s3cret"));
}

#[test]
fn a_database_that_is_not_there_is_waited_for_and_then_named_f49() {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_800_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let clock = lab.clock().clone();
        let began = clock.now();
        let opening = tokio::spawn(async move {
            Database::open_within("postgres://ana@127.0.0.1:1/chat", 1, (&clock, START_LIMIT)).await
        });

        while !opening.is_finished() {
            lab.advance(Duration::from_secs(1)).await.unwrap();
        }

        assert!(lab.clock().now() >= began + START_LIMIT);
        assert!(matches!(opening.await.unwrap(), Err(OpenError::Unreachable { .. })));
    });
}

#[tokio::test]
async fn what_waiting_cannot_mend_is_told_at_once_f49() {
    let clock = clock::SystemClock::new();

    let refused = Database::open_within("mysql://x", 1, (&clock, START_LIMIT)).await;

    assert!(matches!(refused, Err(OpenError::Scheme { .. })));
    assert!(clock.now().since_origin() < START_LIMIT);
}
