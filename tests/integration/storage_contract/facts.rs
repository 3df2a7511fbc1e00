//! Facts about a user, and their versions.

use jiff::SignedDuration;
use server::storage::{Database, Expected, FactClosing, FactOutcome, FactSource, FactWrite, Storage};

use super::{add_user, at, count_up, fact, race, stories};

stories!(
    a_fact_is_written_over_the_expected_version_only,
    an_expired_fact_is_gone_at_once_and_its_versions_go_on,
    a_closed_fact_is_gone_and_its_history_tells_its_end_f46,
    racing_writers_of_one_fact_lose_nothing,
    facts_that_ended_are_purged_with_their_histories_and_no_others_f45,
);

async fn facts_that_ended_are_purged_with_their_histories_and_no_others_f45(db: Database) {
    let user = add_user(&db).await;
    let write = async |key: &str, ends| {
        let write = FactWrite { key: key.to_owned(), expires_at: ends, ..fact(user, "x", Expected::Absent) };
        db.write_fact(write).await.unwrap();
    };
    for (key, ends) in
        [("lasting", None), ("third", Some(at(90))), ("first", Some(at(30))), ("second", Some(at(60)))]
    {
        write(key, ends).await;
    }
    write("revived", Some(at(10))).await;
    let anew = FactWrite { key: "revived".to_owned(), at: at(20), ..fact(user, "y", Expected::Absent) };
    db.write_fact(anew).await.unwrap();
    let histories = async || {
        let mut left = Vec::new();
        for key in ["lasting", "first", "second", "third", "revived"] {
            left.push(db.fact_history(user, key).await.unwrap().len());
        }
        left
    };
    assert_eq!(histories().await, [1, 1, 1, 1, 2]);

    assert_eq!(db.purge_facts(at(29), 10).await.unwrap(), 0);
    assert_eq!(db.purge_facts(at(60), 1).await.unwrap(), 1);
    assert_eq!(histories().await, [1, 0, 1, 1, 2], "that which ended first");
    assert_eq!(db.purge_facts(at(60), 10).await.unwrap(), 1);

    assert_eq!(histories().await, [1, 0, 0, 1, 2]);
    assert_eq!(db.facts(user, at(89)).await.unwrap().len(), 3);
    let FactOutcome::Written(anew) = db
        .write_fact(FactWrite { key: "first".to_owned(), at: at(99), ..fact(user, "z", Expected::Absent) })
        .await
        .unwrap()
    else {
        panic!("not written")
    };
    assert_eq!(anew.version, 1, "nothing is known of what was there");
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

async fn a_closed_fact_is_gone_and_its_history_tells_its_end_f46(db: Database) {
    let user = add_user(&db).await;
    let FactOutcome::Written(first) = db.write_fact(fact(user, "tea", Expected::Absent)).await.unwrap()
    else {
        panic!("not written")
    };
    let closing = |version, second| FactClosing {
        user,
        key: "diet".to_owned(),
        version,
        source: FactSource::UserEdit,
        at: at(second),
    };

    let stale = db.close_fact(closing(7, 60)).await.unwrap();
    let closed = db.close_fact(closing(1, 60)).await.unwrap();
    let twice = db.close_fact(closing(2, 61)).await.unwrap();

    assert_eq!(stale, FactOutcome::Conflict(Some(first)));
    let FactOutcome::Written(closed) = closed else { panic!("not closed: {closed:?}") };
    assert_eq!((closed.version, closed.updated_at, closed.expires_at), (2, at(60), Some(at(60))));
    assert_eq!(twice, FactOutcome::Conflict(None));
    assert!(db.facts(user, at(60)).await.unwrap().is_empty());
    let anew = FactWrite { at: at(90), ..fact(user, "rice", Expected::Absent) };
    let FactOutcome::Written(anew) = db.write_fact(anew).await.unwrap() else { panic!("not written") };
    assert_eq!((anew.version, anew.expires_at), (3, None));
    let history = db.fact_history(user, "diet").await.unwrap();
    let history: Vec<_> = history.iter().map(|r| (r.version, r.value.as_str(), r.is_end)).collect();
    assert_eq!(history, [(1, "tea", false), (2, "tea", true), (3, "rice", false)]);
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
