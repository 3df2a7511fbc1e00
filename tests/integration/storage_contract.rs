//! What storage promises, told as stories, each on SQLite and on PostgreSQL.
//!
//! A story gets a fresh, empty [`Database`]; it may not know which engine is below.

mod access;
mod admin;
mod consents;
mod facts;
mod languages;
mod messages;
mod opening;
mod preferences;
mod reminders;
mod roles;
mod sessions;
mod spending;
mod suggestions;
mod survival;
mod upgrade;
mod users;
mod words;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use server::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId},
    storage::{
        Database, Expected, FactOutcome, FactSource, FactWrite, MessageKind, NewMessage, NewReminder,
        NewSession, NewSuggestion, NewUser, Origin, Priority, SessionReason, Storage, SuggestionLimits,
        SuggestionType, User,
    },
};

use crate::support::postgres::Fresh;

/// Connections of a database under test: fewer than the tasks that race.
const CONNECTIONS: u32 = 8;

/// Makes two tests of each story.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                $crate::storage_contract::on_sqlite(super::$story).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                $crate::storage_contract::on_postgres(super::$story).await;
            })+
        }
    };
}

// The children take it by its path.
use stories;

async fn on_sqlite<F: Future<Output = ()>>(story: impl FnOnce(Database) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("chat #1 50%.db").display());
    story(Database::open(&url, CONNECTIONS).await.unwrap()).await;
}

async fn on_postgres<F: Future<Output = ()>>(story: impl FnOnce(Database) -> F) {
    let Some(fresh) = Fresh::database().await else { return };
    story(Database::open(&fresh.url, CONNECTIONS).await.unwrap()).await;
    fresh.drop_database().await;
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

async fn add_user(db: &Database) -> UserId {
    let id = UserId::random();
    db.create_user(new_user(id, &format!("{id}@example.org"))).await.unwrap().unwrap().id
}

fn new_user(id: UserId, email: &str) -> NewUser {
    let user = User {
        id,
        email: email.to_owned(),
        display_name: "Ana".to_owned(),
        language: "es".to_owned(),
        is_admin: false,
        created_at: at(0),
    };
    NewUser { user, password_hash: "$argon2id$".to_owned() }
}

fn new_session(user: UserId, replacing: Option<SessionId>) -> NewSession {
    NewSession { id: SessionId::random(), user, reason: SessionReason::First, at: at(0), replacing }
}

fn said(user: UserId, session: SessionId, text: &str) -> NewMessage {
    let id = MessageId::random();
    let kind = MessageKind::Said;
    NewMessage { id, session, user, kind, language: "en".to_owned(), text: text.to_owned(), at: at(0) }
}

fn fact(user: UserId, value: &str, expected: Expected) -> FactWrite {
    FactWrite {
        user,
        key: "diet".to_owned(),
        value: value.to_owned(),
        confidence: 0.8,
        source: FactSource::Extracted,
        at: at(0),
        expires_at: None,
        expected,
    }
}

fn suggestion(user: UserId, kind: SuggestionType, seconds: i64) -> NewSuggestion {
    NewSuggestion {
        id: SuggestionId::random(),
        user,
        kind,
        priority: Priority::High,
        title: "Look again".to_owned(),
        description: String::new(),
        suggested_time: at(seconds + 3600),
        at: at(seconds),
        expires_at: at(seconds + 300),
    }
}

const LIMITS: SuggestionLimits = SuggestionLimits {
    per_hour: 3,
    per_day: 10,
    pending_per_type: 1,
    open_reminders: 20,
    ignored_in_row: 100,
    pause: Duration::from_hours(24),
    quality_min: 0.0,
    quality_window: Duration::from_hours(30 * 24),
};

fn reminder(user: UserId, suggestion: Option<SuggestionId>, seconds: i64) -> NewReminder {
    NewReminder {
        id: ReminderId::random(),
        user,
        title: "Midwife".to_owned(),
        description: "Bring the papers".to_owned(),
        time: at(seconds + 3600),
        offset_minutes: 120,
        priority: None,
        origin: Origin::User,
        suggestion,
        unconfirmed: None,
        request: None,
        at: at(seconds),
    }
}

/// Runs `n` of them at once and returns what each returned.
async fn race<T, F>(db: &Database, n: usize, run: impl Fn(Arc<Database>, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let db = Arc::new(db.clone());
    let running: Vec<_> = (0..n).map(|i| tokio::spawn(run(Arc::clone(&db), i))).collect();
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.unwrap());
    }
    results
}

/// Adds one to a number kept in a fact, `times` times, starting over at each conflict.
async fn count_up(db: &Database, user: UserId, times: u32) {
    for _ in 0..times {
        loop {
            let now = db.fact(user, "diet", at(0)).await.unwrap();
            let expected = now.as_ref().map_or(Expected::Absent, |fact| Expected::Version(fact.version));
            let value = now.map_or(0, |fact| fact.value.parse::<u32>().unwrap()) + 1;
            let write = fact(user, &value.to_string(), expected);
            if matches!(db.write_fact(write).await.unwrap(), FactOutcome::Written(_)) {
                break;
            }
        }
    }
}
