//! What is there after a restart, after a kill, and for two servers at once.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use server::storage::{Database, Expected, Page, Place, Storage, SuggestionType};

use super::{CONNECTIONS, LIMITS, add_user, at, count_up, fact, new_session, said, suggestion};
use crate::support::postgres::Fresh;

/// Fills a database, closes it, opens it again: all must be there.
async fn survives_a_restart(url: &str) {
    let db = Database::open(url, CONNECTIONS).await.unwrap();
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap();
    db.append_message(said(user, session.id, "hello"), Place::Last).await.unwrap();
    db.write_fact(fact(user, "vegan", Expected::Absent)).await.unwrap();
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();

    db.close().await;
    assert!(db.ping().await.is_err());
    let db = Database::open(url, CONNECTIONS).await.unwrap();

    assert!(db.user(user).await.unwrap().is_some());
    assert_eq!(db.open_session(user).await.unwrap().unwrap().messages, 1);
    assert_eq!(db.facts(user, at(0)).await.unwrap().len(), 1);
    assert_eq!(db.pending_suggestions(user, at(0)).await.unwrap()[0].id, new.id);
    db.close().await;
}

#[tokio::test]
async fn all_is_there_after_a_restart_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();

    survives_a_restart(&format!("sqlite://{}/chat.db", folder.path().display())).await;
}

#[tokio::test]
async fn all_is_there_after_a_restart_on_postgres() {
    let Some(fresh) = Fresh::database().await else { return };

    survives_a_restart(&fresh.url).await;

    fresh.drop_database().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_start_at_once_on_one_postgres_lose_nothing() {
    let Some(fresh) = Fresh::database().await else { return };
    let (one, two) = tokio::join!(Database::open(&fresh.url, 4), Database::open(&fresh.url, 4));
    let (one, two) = (one.unwrap(), two.unwrap());
    let user = add_user(&one).await;

    let writers = (0..8).map(|i| {
        let db = if i % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { count_up(&db, user, 8).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }

    assert_eq!(two.fact(user, "diet", at(0)).await.unwrap().unwrap().value, "64");
    assert_eq!(one.fact_history(user, "diet").await.unwrap().len(), 64);
    fresh.drop_database().await;
}

/// Names the file that [`a_writer_to_be_killed`] writes to.
const KILLED_FILE: &str = "GAUNTLET_TEST_KILLED_FILE";

/// Is no test by itself: in a process of its own it writes messages, saying each number once it is stored.
#[tokio::test]
async fn a_writer_to_be_killed() {
    let Ok(file) = std::env::var(KILLED_FILE) else { return };
    let db = Database::open(&format!("sqlite:{file}"), CONNECTIONS).await.unwrap();
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    for i in 1.. {
        let stored =
            db.append_message(said(user, session, &i.to_string()), Place::Last).await.unwrap().unwrap();
        // In one write, which a kill cannot tear; `eprintln!` makes one for each part of its line.
        let line = format!("stored {user} {session} {}\n", stored.position);
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "storage_contract::survival::a_writer_to_be_killed", "--nocapture"])
        .env(KILLED_FILE, &file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(writer.stderr.take().unwrap()).lines().map_while(Result::ok);
    let hundredth = said.by_ref().nth(99).unwrap();

    writer.kill().unwrap();
    writer.wait().unwrap();

    let last = said.filter(|line| line.starts_with("stored ")).last().unwrap_or(hundredth);
    let [_, user, session, stored] = last.split(' ').collect::<Vec<_>>()[..] else { panic!("{last}") };
    let db = Database::open(&format!("sqlite:{}", file.display()), CONNECTIONS).await.unwrap();
    let page =
        Page { user: user.parse().unwrap(), session: session.parse().unwrap(), after: 0, limit: u32::MAX };
    let found = db.messages(page).await.unwrap();
    assert!(found.len() >= stored.parse().unwrap(), "{stored} were stored, {} are there", found.len());
    assert!((1..).zip(&found).all(|(place, message)| message.position == place));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_sqlite_file_that_is_written_on_and_on_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let db =
        Database::open(&format!("sqlite://{}/chat.db", folder.path().display()), CONNECTIONS).await.unwrap();
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let log = folder.path().join("chat.db-wal");

    let mut most = 0;
    for _ in 0..4000 {
        db.append_message(said(user, session, "hello"), Place::Last).await.unwrap();
        most = most.max(std::fs::metadata(&log).unwrap().len());
    }

    // Each message takes some 20 KiB of it. On a slow disk 1000 are written during a checkpoint, and as many before it.
    assert!(most < 48 << 20, "the log had {most} bytes");
    db.close().await;
}
