//! Languages, and users with their addresses.

use server::{
    ids::UserId,
    storage::{Database, LanguageStore, Storage},
};

use super::{new_user, race, stories};

stories!(
    english_and_spanish_are_there_and_enabled,
    a_user_is_found_by_id_and_address,
    one_address_is_registered_once_in_a_race,
);

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
