//! Reminders: changed, deleted, brought back, rolled back, and made once for a request that comes twice.

use server::{
    ids::{ReminderId, UserId},
    storage::{
        Database, NewReminder, Origin, Priority, Reminder, ReminderChange, ReminderOutcome, Request,
        Restoration, RestoreOutcome, Rollback, Storage, StorageError, SuggestionType,
    },
};

use super::{LIMITS, add_user, at, race, reminder, stories, suggestion};

stories!(
    a_reminder_changes_for_its_owner_only,
    reminders_of_one_moment_are_listed_as_they_were_made_s12,
    a_deleted_reminder_comes_back_as_it_was_f79,
    what_was_deleted_long_ago_is_gone_f79,
    a_restored_reminder_needs_a_place_f79,
    a_rollback_takes_what_the_server_made_and_nothing_else_f87,
    a_repeated_request_makes_one_reminder_f76,
    requests_that_race_with_one_key_make_one_reminder_f76,
);

const DAY: i64 = 24 * 3600;

pub(super) fn no_change(user: UserId, id: ReminderId) -> ReminderChange {
    ReminderChange {
        id,
        user,
        title: None,
        description: None,
        time: None,
        is_completed: None,
        priority: None,
        at: at(9),
    }
}

async fn make(db: &Database, new: NewReminder) -> Reminder {
    match db.create_reminder(new).await.unwrap() {
        ReminderOutcome::Created(reminder) => reminder,
        other => panic!("{other:?}"),
    }
}

/// Asks for a reminder that was deleted within the last day.
fn restoration(user: UserId, id: ReminderId, seconds: i64) -> Restoration {
    Restoration { id, user, deleted_since: at(seconds - DAY) }
}

async fn a_reminder_changes_for_its_owner_only(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let later = db.create_reminder(reminder(user, None, 50)).await.unwrap();
    let ReminderOutcome::Created(made) = db.create_reminder(reminder(user, None, 0)).await.unwrap() else {
        panic!("not created")
    };
    let none = no_change(user, made.id);
    let time = Some((at(10), -300));
    let change = ReminderChange { time, is_completed: Some(true), ..none.clone() };

    assert_eq!(db.update_reminder(ReminderChange { user: other, ..none }).await.unwrap(), None);
    assert_eq!(db.reminder(other, made.id).await.unwrap(), None);
    assert!(!db.delete_reminder(other, made.id, at(9)).await.unwrap());
    let changed = db.update_reminder(change).await.unwrap().unwrap();

    assert_eq!((changed.title.as_str(), changed.created_at), ("Midwife", at(0)));
    assert_eq!((changed.time, changed.offset_minutes, changed.is_completed), (at(10), -300, true));
    assert_eq!(
        (db.reminder(user, made.id).await.unwrap(), changed.updated_at),
        (Some(changed.clone()), at(9))
    );
    let ReminderOutcome::Created(later) = later else { panic!("not created") };
    assert_eq!(db.reminders(user).await.unwrap(), [changed, later]);
    assert!(db.delete_reminder(user, made.id, at(9)).await.unwrap());
}

async fn reminders_of_one_moment_are_listed_as_they_were_made_s12(db: Database) {
    let user = add_user(&db).await;
    let last = make(&db, reminder(user, None, 50)).await;
    let mut made = Vec::new();
    for _ in 0..9 {
        made.push(make(&db, reminder(user, None, 0)).await);
    }
    // What is deleted and comes back has its old place.
    assert!(db.delete_reminder(user, made[3].id, at(1)).await.unwrap());
    assert_eq!(
        db.restore_reminder(restoration(user, made[3].id, 2)).await.unwrap(),
        RestoreOutcome::There(made[3].clone())
    );

    assert_eq!(db.reminders(user).await.unwrap(), [made, vec![last]].concat());
}

async fn a_deleted_reminder_comes_back_as_it_was_f79(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let made = make(&db, reminder(user, None, 0)).await;

    assert!(db.delete_reminder(user, made.id, at(10)).await.unwrap());
    assert!(!db.delete_reminder(user, made.id, at(11)).await.unwrap());
    assert_eq!(db.reminder(user, made.id).await.unwrap(), None);
    assert!(db.reminders(user).await.unwrap().is_empty());
    assert_eq!(db.update_reminder(no_change(user, made.id)).await.unwrap(), None);
    let restore =
        async |user, id, seconds| db.restore_reminder(restoration(user, id, seconds)).await.unwrap();
    assert_eq!(restore(other, made.id, 20).await, RestoreOutcome::Unknown);
    assert_eq!(restore(user, ReminderId::random(), 20).await, RestoreOutcome::Unknown);
    assert_eq!(restore(user, made.id, 20).await, RestoreOutcome::There(made.clone()));
    assert_eq!(restore(user, made.id, 2 * DAY).await, RestoreOutcome::There(made.clone()), "it is there");

    assert_eq!(db.reminders(user).await.unwrap(), [made]);
}

async fn what_was_deleted_long_ago_is_gone_f79(db: Database) {
    let user = add_user(&db).await;
    let made = make(&db, reminder(user, None, 0)).await;
    db.delete_reminder(user, made.id, at(10)).await.unwrap();
    let restore = async |seconds| db.restore_reminder(restoration(user, made.id, seconds)).await.unwrap();

    assert_eq!(restore(10 + DAY).await, RestoreOutcome::TooLate);
    // What it said is not kept for ever, and neither is the row.
    let delete_another = async |seconds| {
        let other = make(&db, reminder(user, None, seconds)).await;
        db.delete_reminder(user, other.id, at(seconds)).await.unwrap();
    };
    delete_another(8 * DAY).await;
    let late = Restoration { deleted_since: at(0), ..restoration(user, made.id, 8 * DAY) };
    let RestoreOutcome::There(blank) = db.restore_reminder(late).await.unwrap() else { panic!("not there") };
    assert_eq!((blank.title.as_str(), blank.description.as_str()), ("", ""));
    db.delete_reminder(user, made.id, at(8 * DAY)).await.unwrap();
    delete_another(39 * DAY).await;
    assert_eq!(restore(39 * DAY).await, RestoreOutcome::Unknown);
}

async fn a_restored_reminder_needs_a_place_f79(db: Database) {
    let user = add_user(&db).await;
    let made = make(&db, reminder(user, None, 0)).await;
    db.delete_reminder(user, made.id, at(1)).await.unwrap();
    for _ in 0..server::storage::REMINDERS_MAX {
        make(&db, reminder(user, None, 2)).await;
    }

    let full = db.restore_reminder(restoration(user, made.id, 3)).await;

    assert!(matches!(full, Err(StorageError::TooMany { .. })), "{full:?}");
}

async fn a_rollback_takes_what_the_server_made_and_nothing_else_f87(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let auto = async |user, seconds| {
        let new = suggestion(user, SuggestionType::Reminder, seconds);
        let new = server::storage::NewSuggestion { priority: Priority::Low, ..new };
        let limits = server::storage::SuggestionLimits { per_hour: 100, pending_per_type: 100, ..LIMITS };
        db.offer_suggestion(new.clone(), limits).await.unwrap();
        make(&db, NewReminder { origin: Origin::Policy, ..reminder(user, Some(new.id), seconds) }).await.id
    };
    let own = [make(&db, reminder(user, None, 0)).await.id, make(&db, reminder(user, None, 100)).await.id];
    let old = auto(user, 1).await;
    let mut auto_made = vec![auto(user, 10).await, auto(user, 11).await, auto(user, 12).await];
    let touched = auto(user, 13).await;
    let strangers = auto(other, 13).await;
    let change = ReminderChange { is_completed: Some(true), at: at(20), ..no_change(user, touched) };
    db.update_reminder(change).await.unwrap().unwrap();
    let roll_back = async |only| {
        let asked = Rollback { user, made_since: at(10), only, at: at(200) };
        let mut gone = db.roll_back_reminders(asked).await.unwrap();
        gone.sort();
        gone
    };

    assert!(roll_back(Some(own[0])).await.is_empty());
    assert!(roll_back(Some(old)).await.is_empty());
    assert!(roll_back(Some(strangers)).await.is_empty());
    let single = auto_made.pop().unwrap();
    assert_eq!(roll_back(Some(single)).await, [single]);
    auto_made.sort();
    assert_eq!(roll_back(None).await, auto_made);
    assert!(roll_back(None).await.is_empty());

    let mut left: Vec<_> = db.reminders(user).await.unwrap().iter().map(|reminder| reminder.id).collect();
    let mut expected = vec![own[0], own[1], old, touched];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
    let back = db.restore_reminder(restoration(user, single, 300)).await.unwrap();
    assert!(matches!(back, RestoreOutcome::There(_)), "a rollback can be taken back");
    assert!(roll_back(Some(single)).await.is_empty(), "whoever wanted it back has made it their own");
}

/// A reminder that is asked for under a key.
fn asked(user: UserId, key: &str, fingerprint: &str, seconds: i64) -> NewReminder {
    let request = Request {
        key: key.to_owned(),
        fingerprint: fingerprint.to_owned(),
        kept_since: at(seconds - DAY),
        reply: |reminder| reminder.id.to_string(),
    };
    NewReminder { request: Some(request), ..reminder(user, None, seconds) }
}

async fn a_repeated_request_makes_one_reminder_f76(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let ask = async |user, key, fingerprint, seconds| {
        db.create_reminder(asked(user, key, fingerprint, seconds)).await.unwrap()
    };

    let ReminderOutcome::Created(made) = ask(user, "k", "f", 0).await else { panic!("not created") };
    assert_eq!(ask(user, "k", "f", 1).await, ReminderOutcome::Repeated(made.id.to_string()));
    assert_eq!(ask(user, "k", "g", 1).await, ReminderOutcome::OtherRequest);
    assert!(
        matches!(ask(other, "k", "g", 1).await, ReminderOutcome::Created(_)),
        "keys belong to their user"
    );
    assert!(matches!(ask(user, "l", "f", 1).await, ReminderOutcome::Created(_)));
    assert_eq!(db.reminders(user).await.unwrap().len(), 2);
    assert!(
        matches!(ask(user, "k", "f", DAY).await, ReminderOutcome::Created(_)),
        "after a day a key is new"
    );
}

async fn requests_that_race_with_one_key_make_one_reminder_f76(db: Database) {
    let user = add_user(&db).await;

    let outcomes =
        race(
            &db,
            50,
            move |db, _| async move { db.create_reminder(asked(user, "k", "f", 0)).await.unwrap() },
        )
        .await;

    let stored = db.reminders(user).await.unwrap();
    assert_eq!(stored.len(), 1);
    let repeated = ReminderOutcome::Repeated(stored[0].id.to_string());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == repeated).count(), 49);
}
