//! What users choose about their calendar, and the addresses of their feeds.

use server::{
    ids::UserId,
    storage::{Choices, Database, NewFeed, Preferences, PreferencesOutcome, PreferencesWrite, Storage},
};

use super::{add_user, at, race, stories};

stories!(
    who_has_chosen_nothing_has_the_defaults_f85,
    a_write_over_an_old_version_is_refused_f86,
    writes_that_race_over_one_version_are_done_once_f86,
    a_feed_is_found_by_its_secret_until_it_is_replaced_f150,
);

fn write(user: UserId, choices: Choices, expected: Option<i64>) -> PreferencesWrite {
    PreferencesWrite { user, choices, expected, at: at(0) }
}

fn chosen() -> Choices {
    Choices {
        time_zone: "America/Argentina/Buenos_Aires".parse().unwrap(),
        default_time: "18:05".parse().unwrap(),
        auto_create_low_priority: true,
        require_confirm_for_urgent: false,
        smart_scheduling: true,
        quiet: None,
    }
}

async fn who_has_chosen_nothing_has_the_defaults_f85(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);

    assert_eq!(db.preferences(user).await.unwrap(), Preferences::default());
    let written = db.write_preferences(write(user, chosen(), Some(0))).await.unwrap();

    let stored = Preferences { version: 1, choices: chosen() };
    assert_eq!(written, PreferencesOutcome::Written(stored.clone()));
    assert_eq!(db.preferences(user).await.unwrap(), stored);
    assert_eq!(db.preferences(other).await.unwrap(), Preferences::default());
}

async fn a_write_over_an_old_version_is_refused_f86(db: Database) {
    let user = add_user(&db).await;
    let put = async |choices, expected| db.write_preferences(write(user, choices, expected)).await.unwrap();

    assert_eq!(put(chosen(), Some(3)).await, PreferencesOutcome::Stale(Preferences::default()));
    put(chosen(), Some(0)).await;
    let stored = Preferences { version: 1, choices: chosen() };
    assert_eq!(put(Choices::default(), Some(0)).await, PreferencesOutcome::Stale(stored));
    let second = Preferences { version: 2, choices: Choices::default() };
    assert_eq!(put(Choices::default(), None).await, PreferencesOutcome::Written(second.clone()));
    assert_eq!(db.preferences(user).await.unwrap(), second);
}

async fn writes_that_race_over_one_version_are_done_once_f86(db: Database) {
    let user = add_user(&db).await;

    let outcomes = race(&db, 20, move |db, _| async move {
        db.write_preferences(write(user, chosen(), Some(0))).await.unwrap()
    })
    .await;

    let written = outcomes.iter().filter(|outcome| matches!(outcome, PreferencesOutcome::Written(_))).count();
    assert_eq!((written, db.preferences(user).await.unwrap().version), (1, 1));
}

async fn a_feed_is_found_by_its_secret_until_it_is_replaced_f150(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let open = async |user, hash: &str, seconds| {
        db.open_feed(NewFeed { user, secret_hash: hash.to_owned(), at: at(seconds) }).await.unwrap();
    };

    assert_eq!(db.feed(user).await.unwrap(), None);
    open(user, "a", 1).await;
    open(other, "b", 2).await;
    assert_eq!(db.feed_owner("a").await.unwrap(), Some(user));
    assert_eq!(db.feed_owner("c").await.unwrap(), None);
    open(user, "c", 3).await;
    assert_eq!(db.feed(user).await.unwrap(), Some(at(3)));
    assert_eq!(db.feed_owner("a").await.unwrap(), None);
    assert_eq!(db.feed_owner("c").await.unwrap(), Some(user));
    assert!(db.close_feed(user).await.unwrap());
    assert!(!db.close_feed(user).await.unwrap());
    assert_eq!(db.feed_owner("c").await.unwrap(), None);
    assert_eq!(db.feed_owner("b").await.unwrap(), Some(other));
}
