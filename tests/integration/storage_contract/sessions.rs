//! Sessions: one after another, and one for all devices of a user.

use std::collections::BTreeSet;

use server::{
    ids::SessionId,
    storage::{Database, NewSession, SessionReason, Storage},
};

use super::{add_user, at, new_session, race, stories};

stories!(
    a_session_follows_another,
    ending_a_session_twice_is_one_end,
    devices_that_race_share_one_new_session,
    devices_that_race_replace_a_session_once,
);

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
