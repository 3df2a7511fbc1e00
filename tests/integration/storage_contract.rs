//! What storage promises, told as stories, each on SQLite and on PostgreSQL.
//!
//! A story gets a fresh, empty [`Database`]; it may not know which engine is below.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use server::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId},
    storage::{
        Database, Expected, FactOutcome, FactSource, FactWrite, MessageKind, NewMessage, NewReminder,
        NewSession, NewSuggestion, NewUser, Offered, OpenError, Page, Priority, ReminderChange,
        ReminderOutcome, Role, SessionReason, Storage, SuggestionLimits, SuggestionType, User,
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
                super::on_sqlite(super::$story).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::on_postgres(super::$story).await;
            })+
        }
    };
}

stories!(
    english_and_spanish_are_there_and_enabled,
    a_user_is_found_by_id_and_address,
    one_address_is_registered_once_in_a_race,
    a_text_may_hold_anything,
    a_session_follows_another,
    ending_a_session_twice_is_one_end,
    devices_that_race_share_one_new_session,
    devices_that_race_replace_a_session_once,
    messages_get_places_and_mark_the_session_active,
    a_full_or_ended_session_takes_no_message,
    a_session_never_exceeds_its_capacity_in_a_race,
    context_is_what_was_said_and_answered,
    messages_are_paged_for_their_owner_only,
    a_fact_is_written_over_the_expected_version_only,
    an_expired_fact_is_gone_at_once_and_its_versions_go_on,
    racing_writers_of_one_fact_lose_nothing,
    suggestions_are_limited_by_type_hour_and_day,
    offers_that_race_stay_within_the_limit,
    a_suggestion_can_be_turned_down,
    a_suggestion_is_confirmed_in_time_by_its_owner,
    racing_confirmations_make_one_reminder,
    a_reminder_changes_for_its_owner_only,
);

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

fn reminder(user: UserId, suggestion: Option<SuggestionId>, seconds: i64) -> NewReminder {
    NewReminder {
        id: ReminderId::random(),
        user,
        title: "Midwife".to_owned(),
        description: "Bring the papers".to_owned(),
        time: at(seconds + 3600),
        offset_minutes: 120,
        suggestion,
        at: at(seconds),
    }
}

const LIMITS: SuggestionLimits = SuggestionLimits { per_hour: 3, per_day: 10, pending_per_type: 1 };

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

async fn english_and_spanish_are_there_and_enabled(db: Database) {
    let languages = db.languages().await.unwrap();

    let enabled: Vec<_> = languages.iter().filter(|l| l.is_enabled).map(|l| l.code.as_str()).collect();
    assert_eq!(enabled, ["en", "es"]);
    assert_eq!(languages[1].native_name, "Español");
    db.ping().await.unwrap();
}

async fn a_user_is_found_by_id_and_address(db: Database) {
    let new = new_user(UserId::random(), "ana@example.org");

    let stored = db.create_user(new.clone()).await.unwrap();

    assert_eq!(stored, Some(new.user.clone()));
    assert_eq!(db.user(new.user.id).await.unwrap(), Some(new.user.clone()));
    let found = db.credentials("ana@example.org").await.unwrap().unwrap();
    assert_eq!((found.user, found.password_hash), (new.user, new.password_hash));
    assert!(db.credentials("bea@example.org").await.unwrap().is_none());
    assert!(db.user(UserId::random()).await.unwrap().is_none());
}

async fn one_address_is_registered_once_in_a_race(db: Database) {
    let made = race(&db, 32, |db, _| async move {
        db.create_user(new_user(UserId::random(), "ana@example.org")).await.unwrap()
    })
    .await;

    let made: Vec<_> = made.into_iter().flatten().collect();
    assert_eq!(made.len(), 1);
    assert_eq!(db.credentials("ana@example.org").await.unwrap().unwrap().user, made[0]);
}

async fn a_text_may_hold_anything(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    let stored = db.append_message(said(user, session, "a\0b '; -- $1 ? 👶\u{1F3FD} ñ"), None).await.unwrap();

    assert_eq!(stored.unwrap().text, "a\u{FFFD}b '; -- $1 ? 👶\u{1F3FD} ñ");
}

async fn a_session_follows_another(db: Database) {
    let user = add_user(&db).await;
    let first = db.begin_session(new_session(user, None)).await.unwrap();
    assert_eq!(db.open_session(user).await.unwrap(), Some(first.clone()));

    let next = NewSession { reason: SessionReason::Idle, ..new_session(user, Some(first.id)) };
    let second = db.begin_session(next).await.unwrap();

    assert_eq!((second.reason, second.messages, second.ended_at), (SessionReason::Idle, 0, None));
    assert_eq!(db.open_session(user).await.unwrap(), Some(second.clone()));
    let all = db.sessions(user, 10).await.unwrap();
    assert_eq!(all.iter().map(|s| s.id).collect::<Vec<_>>(), [second.id, first.id]);
    assert_eq!(all[1].ended_at, Some(at(0)));
    assert_eq!(db.sessions(user, 1).await.unwrap().len(), 1);
}

async fn ending_a_session_twice_is_one_end(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    assert!(db.end_session(session, at(5)).await.unwrap());
    assert!(!db.end_session(session, at(9)).await.unwrap());
    assert!(!db.end_session(SessionId::random(), at(9)).await.unwrap());

    assert_eq!(db.open_session(user).await.unwrap(), None);
    assert_eq!(db.sessions(user, 1).await.unwrap()[0].ended_at, Some(at(5)));
}

async fn devices_that_race_share_one_new_session(db: Database) {
    let user = add_user(&db).await;

    let begun =
        race(
            &db,
            32,
            move |db, _| async move { db.begin_session(new_session(user, None)).await.unwrap().id },
        )
        .await;

    let distinct: BTreeSet<_> = begun.into_iter().collect();
    assert_eq!(distinct.len(), 1);
    assert_eq!(db.sessions(user, 10).await.unwrap().len(), 1);
}

async fn devices_that_race_replace_a_session_once(db: Database) {
    let user = add_user(&db).await;
    let old = db.begin_session(new_session(user, None)).await.unwrap().id;

    let begun = race(&db, 32, move |db, _| async move {
        db.begin_session(new_session(user, Some(old))).await.unwrap().id
    })
    .await;

    let distinct: BTreeSet<_> = begun.into_iter().collect();
    assert_eq!(distinct.len(), 1);
    assert!(!distinct.contains(&old));
    assert_eq!(db.sessions(user, 10).await.unwrap().len(), 2);
}

async fn messages_get_places_and_mark_the_session_active(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let answer = NewMessage { kind: MessageKind::Answer, at: at(7), ..said(user, session, "Of course.") };

    let first = db.append_message(said(user, session, "May I?"), Some(100)).await.unwrap().unwrap();
    let second = db.append_message(answer, Some(100)).await.unwrap().unwrap();

    assert_eq!((first.position, first.role), (1, Role::User));
    assert_eq!((second.position, second.role), (2, Role::Assistant));
    assert_eq!(db.message(second.id).await.unwrap(), Some(second));
    assert_eq!(db.message(MessageId::random()).await.unwrap(), None);
    let open = db.open_session(user).await.unwrap().unwrap();
    assert_eq!((open.messages, open.active_at), (2, at(7)));
}

async fn a_full_or_ended_session_takes_no_message(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let append = async |capacity| db.append_message(said(user, session, "x"), capacity).await.unwrap();
    assert!(append(Some(1)).await.is_some());

    assert!(append(Some(1)).await.is_none());
    db.end_session(session, at(1)).await.unwrap();
    assert!(append(Some(100)).await.is_none());
    let late = append(None).await;

    assert_eq!(late.map(|message| message.position), Some(2), "a running reply still finds its place");
    let foreign = db.append_message(said(add_user(&db).await, session, "x"), None).await.unwrap();
    assert_eq!(foreign, None);
}

async fn a_session_never_exceeds_its_capacity_in_a_race(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    let stored = race(&db, 40, move |db, _| async move {
        db.append_message(said(user, session, "x"), Some(25)).await.unwrap()
    })
    .await;

    let mut places: Vec<_> = stored.into_iter().flatten().map(|message| message.position).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=25).collect::<Vec<_>>());
    assert_eq!(db.open_session(user).await.unwrap().unwrap().messages, 25);
}

async fn context_is_what_was_said_and_answered(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    let kinds = [
        MessageKind::Said,
        MessageKind::Answer,
        MessageKind::Fallback,
        MessageKind::Interrupted,
        MessageKind::Safety,
        MessageKind::Said,
    ];
    for (i, kind) in (0..).zip(kinds) {
        let message = NewMessage { kind, at: at(i), ..said(user, session, &i.to_string()) };
        db.append_message(message, Some(100)).await.unwrap().unwrap();
    }

    let texts = async |since, limit| -> Vec<String> {
        let found = db.context(session, at(since), limit).await.unwrap();
        found.into_iter().map(|message| message.text).collect()
    };

    assert_eq!(texts(0, 10).await, ["0", "1", "5"]);
    assert_eq!(texts(0, 2).await, ["1", "5"]);
    assert_eq!(texts(1, 10).await, ["1", "5"]);
    assert_eq!(texts(6, 10).await, Vec::<String>::new());
}

async fn messages_are_paged_for_their_owner_only(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;
    for i in 1..=5 {
        db.append_message(said(user, session, &i.to_string()), None).await.unwrap().unwrap();
    }

    let page = async |user, after, limit| -> Vec<String> {
        let page = Page { user, session, after, limit };
        db.messages(page).await.unwrap().into_iter().map(|message| message.text).collect()
    };

    assert_eq!(page(user, 0, 2).await, ["1", "2"]);
    assert_eq!(page(user, 2, 9).await, ["3", "4", "5"]);
    assert_eq!(page(other, 0, 9).await, Vec::<String>::new());
}

async fn a_fact_is_written_over_the_expected_version_only(db: Database) {
    let user = add_user(&db).await;
    let first = db.write_fact(fact(user, "vegan", Expected::Absent)).await.unwrap();
    let FactOutcome::Written(first) = first else { panic!("not written: {first:?}") };
    assert_eq!((first.version, first.confidence), (1, 0.8));

    let again = db.write_fact(fact(user, "none", Expected::Absent)).await.unwrap();
    let stale = db.write_fact(fact(user, "none", Expected::Version(7))).await.unwrap();
    let good = db.write_fact(fact(user, "vegetarian", Expected::Version(1))).await.unwrap();

    assert_eq!(again, FactOutcome::Conflict(Some(first.clone())));
    assert_eq!(stale, FactOutcome::Conflict(Some(first)));
    let FactOutcome::Written(second) = good else { panic!("not written: {good:?}") };
    assert_eq!((second.version, second.value.as_str()), (2, "vegetarian"));
    assert_eq!(db.facts(user, at(0)).await.unwrap(), [second]);
    let history = db.fact_history(user, "diet").await.unwrap();
    let history: Vec<_> = history.iter().map(|r| (r.version, r.value.as_str())).collect();
    assert_eq!(history, [(1, "vegan"), (2, "vegetarian")]);
}

async fn an_expired_fact_is_gone_at_once_and_its_versions_go_on(db: Database) {
    let user = add_user(&db).await;
    let passing = FactWrite { expires_at: Some(at(60)), ..fact(user, "tea", Expected::Absent) };
    db.write_fact(passing).await.unwrap();
    let just_before = at(60) - SignedDuration::from_micros(1);
    assert!(db.fact(user, "diet", just_before).await.unwrap().is_some());

    assert!(db.fact(user, "diet", at(60)).await.unwrap().is_none());
    assert!(db.facts(user, at(60)).await.unwrap().is_empty());
    let over = FactWrite { at: at(60), ..fact(user, "rice", Expected::Version(1)) };
    assert_eq!(db.write_fact(over.clone()).await.unwrap(), FactOutcome::Conflict(None));
    let anew = db.write_fact(FactWrite { expected: Expected::Absent, ..over }).await.unwrap();

    let FactOutcome::Written(anew) = anew else { panic!("not written: {anew:?}") };
    assert_eq!((anew.version, anew.expires_at), (2, None));
    assert_eq!(db.fact_history(user, "diet").await.unwrap().len(), 2);
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

async fn racing_writers_of_one_fact_lose_nothing(db: Database) {
    const WRITERS: usize = 64;
    const WRITES: u32 = 4;
    let user = add_user(&db).await;

    race(&db, WRITERS, move |db, _| async move { count_up(&db, user, WRITES).await }).await;

    let total = i64::try_from(WRITERS).unwrap() * i64::from(WRITES);
    let last = db.fact(user, "diet", at(0)).await.unwrap().unwrap();
    assert_eq!((last.version, last.value), (total, total.to_string()));
    let history = db.fact_history(user, "diet").await.unwrap();
    let serial: Vec<_> = history.iter().map(|r| (r.version, r.value.clone())).collect();
    assert_eq!(serial, (1..=total).map(|n| (n, n.to_string())).collect::<Vec<_>>());
}

async fn suggestions_are_limited_by_type_hour_and_day(db: Database) {
    use SuggestionType::{Appointment, SymptomFollowup};

    let user = add_user(&db).await;
    let offer = async |kind, seconds| {
        let offered = db.offer_suggestion(suggestion(user, kind, seconds), LIMITS).await.unwrap();
        match offered {
            Offered::Stored(_) => "stored",
            Offered::Pending => "pending",
            Offered::HourFull => "hour",
            Offered::DayFull => "day",
        }
    };

    assert_eq!(offer(SymptomFollowup, 0).await, "stored");
    assert_eq!(offer(SymptomFollowup, 299).await, "pending");
    assert_eq!(offer(Appointment, 299).await, "stored");
    assert_eq!(offer(SymptomFollowup, 300).await, "stored");
    assert_eq!(offer(Appointment, 3599).await, "hour");
    assert_eq!(offer(Appointment, 3600).await, "stored");
    for hours in 2..8 {
        assert_eq!(offer(Appointment, hours * 3600).await, "stored");
    }
    assert_eq!(offer(Appointment, 86_399).await, "day");
    assert_eq!(offer(Appointment, 86_400).await, "stored");
}

async fn offers_that_race_stay_within_the_limit(db: Database) {
    let user = add_user(&db).await;
    let many = SuggestionLimits { pending_per_type: 100, ..LIMITS };

    let offered = race(&db, 20, move |db, _| async move {
        let new = suggestion(user, SuggestionType::Appointment, 0);
        db.offer_suggestion(new, many).await.unwrap()
    })
    .await;

    assert_eq!(offered.iter().filter(|o| matches!(o, Offered::Stored(_))).count(), 3);
    assert_eq!(db.pending_suggestions(user, at(0)).await.unwrap().len(), 3);
}

async fn a_suggestion_can_be_turned_down(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();
    assert!(db.dismiss_suggestion(other, new.id, at(1)).await.unwrap().is_none());
    assert!(db.dismiss_suggestion(user, new.id, at(300)).await.unwrap().is_none(), "it has expired");

    let dismissed = db.dismiss_suggestion(user, new.id, at(2)).await.unwrap().unwrap();

    assert_eq!(dismissed.dismissed_at, Some(at(2)));
    assert!(db.dismiss_suggestion(user, new.id, at(3)).await.unwrap().is_none());
    assert!(db.pending_suggestions(user, at(3)).await.unwrap().is_empty());
    let late = db.create_reminder(reminder(user, Some(new.id), 3)).await.unwrap();
    assert_eq!(late, ReminderOutcome::ExpiredSuggestion);
}

async fn a_suggestion_is_confirmed_in_time_by_its_owner(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();
    let confirm =
        async |user, id, seconds| db.create_reminder(reminder(user, Some(id), seconds)).await.unwrap();

    assert_eq!(confirm(other, new.id, 1).await, ReminderOutcome::UnknownSuggestion);
    assert_eq!(confirm(user, SuggestionId::random(), 1).await, ReminderOutcome::UnknownSuggestion);
    assert_eq!(confirm(user, new.id, 300).await, ReminderOutcome::ExpiredSuggestion);
    let ReminderOutcome::Created(made) = confirm(user, new.id, 299).await else { panic!("not created") };
    assert_eq!(confirm(user, new.id, 299).await, ReminderOutcome::UsedSuggestion(made.id));
    assert!(db.delete_reminder(user, made.id).await.unwrap());
    assert_eq!(confirm(user, new.id, 299).await, ReminderOutcome::UsedSuggestion(made.id));

    assert_eq!(made.suggestion, Some(new.id));
    assert!(db.pending_suggestions(user, at(299)).await.unwrap().is_empty());
    assert!(db.reminders(user).await.unwrap().is_empty());
}

async fn racing_confirmations_make_one_reminder(db: Database) {
    let user = add_user(&db).await;
    let new = suggestion(user, SuggestionType::Appointment, 0);
    db.offer_suggestion(new.clone(), LIMITS).await.unwrap();

    let outcomes = race(&db, 50, move |db, _| async move {
        db.create_reminder(reminder(user, Some(new.id), 1)).await.unwrap()
    })
    .await;

    let stored = db.reminders(user).await.unwrap();
    assert_eq!(stored.len(), 1);
    let created = outcomes.iter().filter(|o| **o == ReminderOutcome::Created(stored[0].clone())).count();
    let told = outcomes.iter().filter(|o| **o == ReminderOutcome::UsedSuggestion(stored[0].id)).count();
    assert_eq!((created, told), (1, 49));
}

async fn a_reminder_changes_for_its_owner_only(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let later = db.create_reminder(reminder(user, None, 50)).await.unwrap();
    let ReminderOutcome::Created(made) = db.create_reminder(reminder(user, None, 0)).await.unwrap() else {
        panic!("not created")
    };
    let none = ReminderChange {
        id: made.id,
        user,
        title: None,
        description: None,
        time: None,
        is_completed: None,
        at: at(9),
    };
    let time = Some((at(10), -300));
    let change = ReminderChange { time, is_completed: Some(true), ..none.clone() };

    assert_eq!(db.update_reminder(ReminderChange { user: other, ..none }).await.unwrap(), None);
    assert_eq!(db.reminder(other, made.id).await.unwrap(), None);
    assert!(!db.delete_reminder(other, made.id).await.unwrap());
    let changed = db.update_reminder(change).await.unwrap().unwrap();

    assert_eq!((changed.title.as_str(), changed.created_at), ("Midwife", at(0)));
    assert_eq!((changed.time, changed.offset_minutes, changed.is_completed), (at(10), -300, true));
    assert_eq!(
        (db.reminder(user, made.id).await.unwrap(), changed.updated_at),
        (Some(changed.clone()), at(9))
    );
    let ReminderOutcome::Created(later) = later else { panic!("not created") };
    assert_eq!(db.reminders(user).await.unwrap(), [changed, later]);
    assert!(db.delete_reminder(user, made.id).await.unwrap());
}

/// Fills a database, closes it, opens it again: all must be there.
async fn survives_a_restart(url: &str) {
    let db = Database::open(url, CONNECTIONS).await.unwrap();
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap();
    db.append_message(said(user, session.id, "hello"), None).await.unwrap();
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
        let stored = db.append_message(said(user, session, &i.to_string()), None).await.unwrap().unwrap();
        eprintln!("stored {user} {session} {}", stored.position);
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.db");
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "storage_contract::a_writer_to_be_killed", "--nocapture"])
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
    insta::assert_snapshot!(refusal("chat.db").await, @"`database.url` begins with ``, expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`");
    assert!(!refusal("postgres://ana:s3cret@host:port/chat").await.contains("s3cret"));
}
