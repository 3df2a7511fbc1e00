//! Lives and ranks of facts.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 24 * 3600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn statement(source: FactSource, second: i64, confidence: f64) -> Statement {
    Statement {
        user: UserId(uuid::Uuid::nil()),
        key: "diet_preference".to_owned(),
        value: "vegan".to_owned(),
        confidence,
        source,
        at: at(second),
    }
}

fn stored(statement: &Statement) -> Fact {
    Fact {
        user: statement.user,
        key: statement.key.clone(),
        value: statement.value.clone(),
        confidence: statement.confidence,
        source: statement.source,
        version: 1,
        updated_at: statement.at,
        expires_at: None,
    }
}

fn week(value: &str, second: i64) -> Statement {
    Statement {
        key: "pregnancy_week".to_owned(),
        value: value.to_owned(),
        ..statement(FactSource::Extracted, second, 0.9)
    }
}

#[test]
fn lives_follow_the_class_of_the_key() {
    let settings = config::Conversation::default();
    let days = |key| expiry(key, at(0), &settings).map(|end| end.as_second() / DAY);

    assert_eq!(days("current_symptom"), Some(7));
    assert_eq!(days("diet_preference"), Some(90));
    assert_eq!(days("something_else"), Some(90));
    assert_eq!(days("pregnancy_week"), None);
    assert_eq!(days("allergies"), None);
}

#[test]
fn the_week_shown_advances_and_ends_at_forty_two() {
    let fact = stored(&week("14", 0));

    assert_eq!(shown(&fact, at(7 * DAY - 1)), "14");
    assert_eq!(shown(&fact, at(7 * DAY)), "15");
    assert_eq!(shown(&fact, at(21 * DAY)), "17");
    assert_eq!(shown(&fact, at(400 * DAY)), "42");
    assert_eq!(shown(&fact, at(-DAY)), "14");
}

#[test]
fn a_later_week_replaces_an_earlier_one_at_the_same_confidence() {
    assert!(week("20", 60).supersedes(&stored(&week("14", 0))));
}

#[test]
fn a_week_that_is_right_by_the_calendar_does_not_move_the_anchor() {
    assert!(!week("14", 6 * DAY).supersedes(&stored(&week("14", 0))));
    assert!(week("14", 8 * DAY).supersedes(&stored(&week("14", 0))));
}

/// Each way in which a new statement can stand to a stored fact: who said it, when, and how surely. The
/// value of the first column that differs decides.
#[test]
fn the_matrix_of_sixteen_conflicts_is_decided_by_rank_then_time_then_confidence_f46() {
    let matrix = "
        by hand   over by hand   later   surer   wins
        by hand   over by hand   later   unsurer wins
        by hand   over by hand   earlier surer   loses
        by hand   over by hand   earlier unsurer loses
        by hand   over extracted later   surer   wins
        by hand   over extracted later   unsurer wins
        by hand   over extracted earlier surer   wins
        by hand   over extracted earlier unsurer wins
        extracted over by hand   later   surer   loses
        extracted over by hand   later   unsurer loses
        extracted over by hand   earlier surer   loses
        extracted over by hand   earlier unsurer loses
        extracted over extracted later   surer   wins
        extracted over extracted later   unsurer wins
        extracted over extracted earlier surer   loses
        extracted over extracted earlier unsurer loses";
    let decide = |(new, old, time, confidence): (&str, &str, &str, &str)| {
        let source = |word| if word == "by hand  " { FactSource::UserEdit } else { FactSource::Extracted };
        let second = if time == "later  " { 9 } else { 1 };
        let sure = if confidence == "surer  " { 0.9 } else { 0.7 };
        let wins = statement(source(new), second, sure).supersedes(&stored(&statement(source(old), 5, 0.8)));
        let wins = if wins { "wins" } else { "loses" };
        format!("\n        {new} over {old} {time} {confidence} {wins}")
    };

    assert_eq!(sixteen().map(decide).collect::<String>(), matrix);
}

fn sixteen() -> impl Iterator<Item = (&'static str, &'static str, &'static str, &'static str)> {
    let (sources, times, sure) = (["by hand  ", "extracted"], ["later  ", "earlier"], ["surer  ", "unsurer"]);
    sources.into_iter().flat_map(move |new| {
        sources.into_iter().flat_map(move |old| {
            times.into_iter().flat_map(move |time| sure.into_iter().map(move |sure| (new, old, time, sure)))
        })
    })
}

#[test]
fn what_is_said_again_is_renewed_f44() {
    let settings = config::Conversation::default();
    let first = statement(FactSource::Extracted, 0, 0.9);
    let again = statement(FactSource::Extracted, 80 * DAY, 0.9);

    assert!(again.supersedes(&stored(&first)));
    assert_eq!(again.write(Expected::Absent, &settings).expires_at, Some(at(170 * DAY)));
}

#[test]
fn past_the_last_week_the_user_has_to_be_asked_f43() {
    let overdue = |value, days| is_overdue(&stored(&week(value, 0)), at(days * DAY));

    assert!(!overdue("40", 20));
    assert!(overdue("40", 21));
    assert!(!overdue("42", 6));
    assert!(!is_overdue(&stored(&statement(FactSource::Extracted, 0, 0.9)), at(9999 * DAY)));
}

#[test]
fn a_birth_ends_the_week_and_a_week_the_time_after_a_birth_f43() {
    assert_eq!(ends("postpartum"), ["pregnancy_week", "due_date"]);
    assert_eq!(ends("pregnancy_week"), ["postpartum"]);
    assert!(ends("diet").is_empty());
    for key in KEYS {
        assert!(!key.ends.contains(&key.name), "{} ends itself", key.name);
    }
}

#[test]
fn a_child_is_born_once_f43() {
    let born = |second| Statement { key: "postpartum".to_owned(), ..week("since then", second) };

    assert!(!born(60).supersedes(&stored(&born(0))));
}

#[test]
fn source_then_time_then_confidence_decide() {
    use FactSource::{Extracted, UserEdit};
    let table = [
        ((UserEdit, 0, 0.1), (Extracted, 9, 1.0), true),
        ((Extracted, 9, 1.0), (UserEdit, 0, 0.1), false),
        ((Extracted, 9, 0.1), (Extracted, 0, 1.0), true),
        ((Extracted, 0, 1.0), (Extracted, 9, 0.1), false),
        ((Extracted, 5, 0.8), (Extracted, 5, 0.9), false),
        ((Extracted, 5, 0.9), (Extracted, 5, 0.9), true),
        ((UserEdit, 5, 1.0), (UserEdit, 5, 1.0), true),
    ];

    for ((source, second, confidence), old, wins) in table {
        let old = stored(&statement(old.0, old.1, old.2));
        assert_eq!(statement(source, second, confidence).supersedes(&old), wins, "{source:?} {second}");
    }
}

proptest! {
    #[test]
    fn of_two_different_ranks_exactly_one_wins(
        a in (any::<bool>(), 0i64..5, 0u8..5), b in (any::<bool>(), 0i64..5, 0u8..5),
    ) {
        let make = |(edit, second, tenths): (bool, i64, u8)| {
            let source = if edit { FactSource::UserEdit } else { FactSource::Extracted };
            statement(source, second, f64::from(tenths) / 10.0)
        };
        let (x, y) = (make(a), make(b));

        let wins = (x.supersedes(&stored(&y)), y.supersedes(&stored(&x)));

        prop_assert_eq!(wins, if a == b { (true, true) } else { (wins.0, !wins.0) });
    }
}

mod written {
    //! Writing, against a real database.

    use std::sync::Arc;

    use clock::SystemClock;

    use super::*;
    use crate::storage::{Database, FactRevision, NewUser, Storage, User};

    struct Rig {
        database: Database,
        user: UserId,
        pen: Pen,
        folder: tempfile::TempDir,
    }

    impl Rig {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("facts.db").display());
            let database = Database::open(&url, 4).await.unwrap();
            let user = User {
                id: UserId::random(),
                email: "ann@example.com".to_owned(),
                display_name: String::new(),
                language: "en".to_owned(),
                is_admin: false,
                created_at: at(0),
            };
            let new =
                NewUser { user, password_hash: "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA".to_owned() };
            let user = database.create_user(new).await.unwrap().unwrap().id;
            let storage = Arc::new(database.clone());
            let pen = Pen::new(storage, Arc::new(SystemClock::new()), Arc::default());
            Self { database, user, pen, folder }
        }

        async fn write(&self, source: FactSource, value: &str, second: i64) -> Outcome {
            let said = Statement { user: self.user, value: value.to_owned(), ..week(value, second) };
            self.pen.write(Statement { source, ..said }).await.unwrap()
        }

        async fn history(&self) -> Vec<String> {
            let history = self.database.fact_history(self.user, "pregnancy_week").await.unwrap();
            let line = |revision: FactRevision| {
                let end = if revision.is_end { " ended" } else { "" };
                format!("{} {}{end}", revision.version, revision.value)
            };
            history.into_iter().map(line).collect()
        }
    }

    #[tokio::test]
    async fn edits_that_stand_in_line_write_over_what_others_have_stored_meanwhile_f131() {
        let rig = Rig::new().await;
        let elsewhere =
            Pen::new(Arc::new(rig.database.clone()), Arc::new(SystemClock::new()), Arc::default());
        let edit = |n: u32| Statement {
            user: rig.user,
            source: FactSource::UserEdit,
            value: n.to_string(),
            ..week("14", 0)
        };

        // Two processes, each with a line of its own: what one of them leaves word of is out of date all the time.
        let writes =
            (1..=20).map(|n| if n % 2 == 0 { rig.pen.write(edit(n)) } else { elsewhere.write(edit(n)) });
        let outcomes = futures_util::future::join_all(writes).await;

        let written = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Outcome::Written(_)))).count();
        assert_eq!(written, 20);
        let mut values: Vec<_> =
            rig.history().await.iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
        values.sort_unstable_by_key(|value| value.parse::<u32>().unwrap());
        assert_eq!(values, (1..=20).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_later_statement_replaces_and_an_edit_stays() {
        let rig = Rig::new().await;

        rig.write(FactSource::Extracted, "14", 0).await;
        rig.write(FactSource::Extracted, "20", 60).await;
        rig.write(FactSource::UserEdit, "21", 0).await;
        let kept = rig.write(FactSource::Extracted, "30", 2_000_000_000).await;

        assert!(matches!(kept, Outcome::Kept(fact) if fact.value == "21"));
        assert_eq!(rig.history().await, ["1 14", "2 20", "3 21"]);
    }

    #[tokio::test]
    async fn a_birth_ends_the_week_that_was_written_by_hand_f43() {
        let rig = Rig::new().await;
        rig.write(FactSource::UserEdit, "39", 0).await;
        let now = rig.pen.now();
        let said = Statement { user: rig.user, at: now, key: "postpartum".to_owned(), ..week("since", 0) };

        rig.pen.write(said).await.unwrap();

        assert_eq!(rig.database.fact(rig.user, "pregnancy_week", now).await.unwrap(), None);
        assert_eq!(rig.history().await, ["1 39", "2 39 ended"]);
    }

    #[tokio::test]
    async fn a_birth_that_is_told_again_ends_what_was_left_by_an_abort_f43() {
        let rig = Rig::new().await;
        rig.write(FactSource::Extracted, "39", 0).await;
        let at = rig.pen.now();
        let said = Statement { user: rig.user, at, key: "postpartum".to_owned(), ..week("since", 0) };
        let alone = said.write(Expected::Absent, &crate::config::Conversation::default());
        rig.database.write_fact(alone).await.unwrap();

        let again = rig.pen.write(Statement { at: rig.pen.now(), ..said }).await.unwrap();

        assert!(matches!(again, Outcome::Kept(_)), "{again:?}");
        assert_eq!(rig.history().await, ["1 39", "2 39 ended"]);
    }

    #[tokio::test]
    async fn what_was_said_before_a_fact_was_deleted_does_not_bring_it_back_f46() {
        let rig = Rig::new().await;
        let said_at = rig.pen.now().as_second();
        rig.write(FactSource::UserEdit, "14", 0).await;
        let wish = Forgetting { user: rig.user, key: "pregnancy_week", version: None };

        let forgotten = rig.pen.forget(wish).await.unwrap();
        let late = rig.write(FactSource::Extracted, "14", said_at).await;
        let again = rig.write(FactSource::Extracted, "20", said_at + 60).await;

        assert!(matches!(forgotten, Forgotten::Closed(fact) if fact.version == 2));
        assert!(matches!(late, Outcome::Kept(_)), "{late:?}");
        assert!(matches!(again, Outcome::Written(fact) if fact.version == 3));
        assert_eq!(rig.pen.forget(Forgetting { key: "diet", ..wish }).await.unwrap(), Forgotten::Absent);
        let stale = rig.pen.forget(Forgetting { version: Some(2), ..wish }).await.unwrap();
        assert!(matches!(stale, Forgotten::Conflict(fact) if fact.version == 3));
    }

    #[test]
    fn a_store_that_does_not_answer_ends_a_write_at_its_deadline() {
        let (runtime, lab) = clock::Lab::new(at(0)).unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            let clock = Arc::new(lab.clock().clone());
            let pen = Pen::new(Arc::new(rig.database.clone()), clock, Arc::default());
            let url = format!("sqlite:{}", rig.folder.path().join("facts.db").display());
            let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
            let said = Statement { user: rig.user, ..week("14", 0) };
            let writing = tokio::spawn(async move { pen.write(said).await });
            lab.settled().await.unwrap();

            lab.advance(Duration::from_secs(5)).await.unwrap();

            assert_eq!(writing.await.unwrap().unwrap(), Outcome::Contended);
        });
    }

    #[tokio::test]
    async fn of_many_writers_at_once_each_acknowledged_write_is_in_the_history() {
        let rig = Arc::new(Rig::new().await);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..16 {
            let rig = Arc::clone(&rig);
            writers.spawn(async move {
                for n in 0..5 {
                    let value = format!("{writer}-{n}");
                    let outcome = rig.write(FactSource::UserEdit, &value, 0).await;
                    assert!(matches!(outcome, Outcome::Written(fact) if fact.value == value));
                }
            });
        }
        writers.join_all().await;

        let history = rig.history().await;

        assert_eq!(history.len(), 80);
        let versions: Vec<_> =
            history.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(versions, (1..=80).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}
