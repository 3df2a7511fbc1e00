//! Sessions: one after another, and one for all devices of a user.

use std::collections::BTreeSet;

use server::{
    ids::SessionId,
    storage::{Database, NewSession, Page, Place, SessionReason, Storage},
};

use super::{add_user, at, new_session, race, said, stories};

stories!(
    a_session_follows_another,
    ending_a_session_twice_is_one_end,
    devices_that_race_share_one_new_session,
    devices_that_race_replace_a_session_once,
    sessions_are_read_page_by_page_f149,
    a_session_is_deleted_with_its_messages_by_its_user_only_f149,
);

async fn sessions_are_read_page_by_page_f149(db: Database) {
    let user = add_user(&db).await;
    let mut last = None;
    for _ in 0..5 {
        last = Some(db.begin_session(new_session(user, last)).await.unwrap().id);
    }

    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = db.sessions(user, before, 2).await.unwrap();
        let Some(oldest) = page.last() else { break };
        before = Some(oldest.number);
        seen.extend(page.iter().map(|session| session.number));
    }

    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

async fn a_session_is_deleted_with_its_messages_by_its_user_only_f149(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    let kept = db.begin_session(new_session(user, None)).await.unwrap().id;
    db.append_message(said(user, kept, "kept"), Place::Last).await.unwrap();
    let gone = db.begin_session(new_session(user, Some(kept))).await.unwrap().id;
    let message = db.append_message(said(user, gone, "gone"), Place::Last).await.unwrap().unwrap().id;

    assert!(!db.delete_session(other, gone).await.unwrap());
    assert!(db.message(message).await.unwrap().is_some());
    assert!(db.delete_session(user, gone).await.unwrap());
    assert!(!db.delete_session(user, gone).await.unwrap());

    assert_eq!(db.message(message).await.unwrap(), None);
    assert!(!db.has_session(user, gone).await.unwrap());
    assert_eq!(db.open_session(user).await.unwrap(), None);
    let page = Page { user, session: kept, after: 0, limit: 9 };
    assert_eq!(db.messages(page).await.unwrap().len(), 1);
    assert_eq!(db.append_message(said(user, gone, "late"), Place::Last).await.unwrap(), None);
}

async fn a_session_follows_another(db: Database) {
    let user = add_user(&db).await;
    let first = db.begin_session(new_session(user, None)).await.unwrap();
    assert_eq!(db.open_session(user).await.unwrap(), Some(first.clone()));

    let next = NewSession { reason: SessionReason::Idle, ..new_session(user, Some(first.id)) };
    let second = db.begin_session(next).await.unwrap();

    assert_eq!((second.reason, second.messages, second.ended_at), (SessionReason::Idle, 0, None));
    assert_eq!(db.open_session(user).await.unwrap(), Some(second.clone()));
    let all = db.sessions(user, None, 10).await.unwrap();
    assert_eq!(all.iter().map(|s| s.id).collect::<Vec<_>>(), [second.id, first.id]);
    assert_eq!(all[1].ended_at, Some(at(0)));
    assert_eq!(db.sessions(user, None, 1).await.unwrap().len(), 1);
}

async fn ending_a_session_twice_is_one_end(db: Database) {
    let user = add_user(&db).await;
    let session = db.begin_session(new_session(user, None)).await.unwrap().id;

    assert!(db.end_session(session, at(5)).await.unwrap());
    assert!(!db.end_session(session, at(9)).await.unwrap());
    assert!(!db.end_session(SessionId::random(), at(9)).await.unwrap());

    assert_eq!(db.open_session(user).await.unwrap(), None);
    assert_eq!(db.sessions(user, None, 1).await.unwrap()[0].ended_at, Some(at(5)));
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
    assert_eq!(db.sessions(user, None, 10).await.unwrap().len(), 1);
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
    assert_eq!(db.sessions(user, None, 10).await.unwrap().len(), 2);
}
