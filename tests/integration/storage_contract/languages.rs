//! Languages: rows by hand and by route, who prefers which, and the texts in the place of those in files.

use server::{
    ids::UserId,
    storage::{
        Approved, Database, Language, LanguageChange, LanguageStore, LanguageUse, NewPreference, NewText,
        Place, Preference, PreferenceSource, Storage, TextPlace, TextState,
    },
};
use sqlx::{AnyConnection, Connection as _};

use super::{CONNECTIONS, add_user, at, new_session, race, said, stories};
use crate::support::postgres::Fresh;

stories!(
    a_language_is_added_once_in_a_race_f53,
    a_change_leaves_alone_what_it_does_not_name_f55,
    users_and_messages_are_counted_by_language_f57_f58,
    every_change_of_preference_is_in_the_history_f66,
    preferences_that_race_follow_one_another_f66,
    an_edit_is_live_and_the_one_before_is_kept_f61,
    a_text_that_needs_two_is_live_after_the_second_f61,
    approvals_that_race_make_one_version_live_f61,
    a_draft_waits_for_a_human_f62,
);

/// The statement of the requirements, to the letter.
const BY_HAND: &str = "INSERT INTO languages (code, name, native_name, is_enabled, is_experimental) \
    VALUES ('fr', 'French', 'Français', true, true)";

fn french() -> Language {
    Language {
        code: "fr".to_owned(),
        name: "French".to_owned(),
        native_name: "Français".to_owned(),
        is_enabled: true,
        is_experimental: true,
    }
}

async fn write_by_hand(url: &str, text: &'static str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_million_messages_are_counted_without_reading_one_f58() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/chat.db", folder.path().display());
    let db = Database::open(&url, CONNECTIONS).await.unwrap();
    let counted = "INSERT INTO language_messages VALUES ('es', 0, 600000), ('es', 1, 400000)";

    write_by_hand(&url, counted).await;
    write_by_hand(&url, "ALTER TABLE messages RENAME TO out_of_reach").await;

    let used = db.language_use().await.unwrap();
    assert_eq!(used[1], LanguageUse { code: "es".to_owned(), users: 0, messages: 1_000_000 });
}

#[tokio::test]
async fn a_row_written_by_hand_is_read_on_sqlite_f50() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/chat.db", folder.path().display());
    let db = Database::open(&url, CONNECTIONS).await.unwrap();

    write_by_hand(&url, BY_HAND).await;

    assert_eq!(db.languages().await.unwrap().last(), Some(&french()));
}

#[tokio::test]
async fn a_row_written_by_hand_is_read_on_postgres_f50() {
    let Some(fresh) = Fresh::database().await else { return };
    let db = Database::open(&fresh.url, CONNECTIONS).await.unwrap();

    write_by_hand(&fresh.url, BY_HAND).await;

    assert_eq!(db.languages().await.unwrap().last(), Some(&french()));
    db.close().await;
    fresh.drop_database().await;
}

async fn a_language_is_added_once_in_a_race_f53(db: Database) {
    let added = race(&db, 20, |db, _| async move { db.add_language(french()).await.unwrap() }).await;

    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let codes: Vec<_> = db.languages().await.unwrap().into_iter().map(|language| language.code).collect();
    assert_eq!(codes, ["en", "es", "fr"]);
}

async fn a_change_leaves_alone_what_it_does_not_name_f55(db: Database) {
    db.add_language(french()).await.unwrap();
    let change =
        |is_enabled, is_experimental| LanguageChange { code: "fr".to_owned(), is_enabled, is_experimental };

    let stable = db.change_language(change(None, Some(false))).await.unwrap();
    let disabled = db.change_language(change(Some(false), None)).await.unwrap();
    let unknown = LanguageChange { code: "pt".to_owned(), ..change(Some(true), None) };

    assert_eq!(stable, Some(Language { is_experimental: false, ..french() }));
    assert_eq!(disabled, Some(Language { is_enabled: false, is_experimental: false, ..french() }));
    assert_eq!(db.change_language(unknown).await.unwrap(), None);
}

async fn users_and_messages_are_counted_by_language_f57_f58(db: Database) {
    db.add_language(french()).await.unwrap();
    let mut users = Vec::new();
    for tag in ["fr", "fr-CA", "FR_be", "fra", "de", "f"] {
        let user = add_user(&db).await;
        db.prefer_language(wish(user, tag, 0)).await.unwrap();
        users.push(user);
    }
    let session = db.begin_session(new_session(users[0], None)).await.unwrap().id;
    for language in ["fr", "fr", "en"] {
        let message = said(users[0], session, "hm");
        let message = server::storage::NewMessage { language: language.to_owned(), ..message };
        db.append_message(message, Place::Last).await.unwrap();
    }

    let used = db.language_use().await.unwrap();

    let expected = [("en", 0, 1), ("es", 0, 0), ("fr", 3, 2)];
    let expected =
        expected.map(|(code, users, messages)| LanguageUse { code: code.to_owned(), users, messages });
    assert_eq!(used, expected);
}

fn wish(user: UserId, to: &str, seconds: i64) -> NewPreference {
    NewPreference { user, to: to.to_owned(), source: PreferenceSource::User, at: at(seconds) }
}

async fn every_change_of_preference_is_in_the_history_f66(db: Database) {
    let user = add_user(&db).await;
    let fallback =
        |seconds| NewPreference { source: PreferenceSource::Fallback, ..wish(user, "en", seconds) };

    db.prefer_language(wish(user, "fr", 1)).await.unwrap();
    assert_eq!(db.prefer_language(wish(user, "fr", 2)).await.unwrap(), None);
    db.prefer_language(fallback(3)).await.unwrap();
    assert_eq!(db.prefer_language(fallback(4)).await.unwrap(), None);
    let admin = NewPreference { source: PreferenceSource::Admin, ..wish(user, "pt-BR", 5) };
    db.prefer_language(admin).await.unwrap();

    let change = |from: &str, to: &str, seconds, source| Preference {
        from: from.to_owned(),
        to: to.to_owned(),
        at: at(seconds),
        source,
    };
    let expected = [
        change("es", "fr", 1, PreferenceSource::User),
        change("fr", "en", 3, PreferenceSource::Fallback),
        change("fr", "pt-BR", 5, PreferenceSource::Admin),
    ];
    assert_eq!(db.language_preferences(user).await.unwrap(), expected);
    assert_eq!(db.user(user).await.unwrap().unwrap().language, "pt-BR");
    assert_eq!(db.prefer_language(wish(UserId::random(), "fr", 6)).await.unwrap(), None);
}

async fn preferences_that_race_follow_one_another_f66(db: Database) {
    let user = add_user(&db).await;

    race(&db, 16, |db, i| async move {
        db.prefer_language(wish(user, &format!("x{i}"), 1)).await.unwrap();
    })
    .await;

    let history = db.language_preferences(user).await.unwrap();
    assert_eq!(history.len(), 16);
    assert!(history.windows(2).all(|pair| pair[0].to == pair[1].from));
    assert_eq!(history[15].to, db.user(user).await.unwrap().unwrap().language);
}

fn greeting() -> TextPlace {
    TextPlace { language: "fr".to_owned(), key: "canned.greeting".to_owned() }
}

fn text(body: Option<&str>, author: Option<UserId>, approvals_needed: u32) -> NewText {
    let body = body.map(str::to_owned);
    NewText { place: greeting(), body, author, tokens: 0, approvals_needed, at: at(1) }
}

async fn bodies(db: &Database) -> Vec<String> {
    db.live_texts().await.unwrap().into_iter().map(|live| live.body).collect()
}

async fn an_edit_is_live_and_the_one_before_is_kept_f61(db: Database) {
    let admin = Some(UserId::random());
    let before = db.text_revision().await.unwrap();

    let first = db.add_text(text(Some("Coucou !"), admin, 1)).await.unwrap();
    db.add_text(text(Some("Salut !"), admin, 1)).await.unwrap();
    assert_eq!(bodies(&db).await, ["Salut !"]);
    db.add_text(text(None, admin, 1)).await.unwrap();

    assert_eq!((first.version, first.state, first.live_at), (1, TextState::Live, Some(at(1))));
    assert!(bodies(&db).await.is_empty());
    assert_eq!(db.text_revision().await.unwrap(), before + 3);
    let versions = db.text_versions(greeting()).await.unwrap();
    let shown: Vec<_> = versions.iter().map(|v| (v.version, v.state, v.body.as_deref())).collect();
    let expected = [
        (3, TextState::Live, None),
        (2, TextState::Replaced, Some("Salut !")),
        (1, TextState::Replaced, Some("Coucou !")),
    ];
    assert_eq!(shown, expected);
}

async fn a_text_that_needs_two_is_live_after_the_second_f61(db: Database) {
    let [author, other] = [UserId::random(), UserId::random()];

    let waiting = db.add_text(text(Some("Coucou !"), Some(author), 2)).await.unwrap();
    assert_eq!((waiting.state, waiting.approvals), (TextState::Waiting, 1));
    assert_eq!(db.approve_text(greeting(), 1, (author, at(2))).await.unwrap(), Approved::Before);
    assert!(bodies(&db).await.is_empty());
    let approved = db.approve_text(greeting(), 1, (other, at(3))).await.unwrap();

    assert!(
        matches!(approved, Approved::Counted(text) if text.state == TextState::Live && text.live_at == Some(at(3)))
    );
    assert_eq!(bodies(&db).await, ["Coucou !"]);
    assert_eq!(db.approve_text(greeting(), 1, (UserId::random(), at(4))).await.unwrap(), Approved::Decided);
    assert_eq!(db.approve_text(greeting(), 9, (other, at(4))).await.unwrap(), Approved::Unknown);
}

async fn approvals_that_race_make_one_version_live_f61(db: Database) {
    for body in ["a", "b", "c", "d"] {
        db.add_text(text(Some(body), None, 2)).await.unwrap();
    }

    race(&db, 16, |db, i| async move {
        let version = u32::try_from(i % 4).unwrap() + 1;
        db.approve_text(greeting(), version, (UserId::random(), at(2))).await.unwrap()
    })
    .await;

    assert_eq!(bodies(&db).await.len(), 1);
    let versions = db.text_versions(greeting()).await.unwrap();
    assert!(versions.iter().all(|version| version.approvals == 2 && version.state != TextState::Waiting));
}

async fn a_draft_waits_for_a_human_f62(db: Database) {
    let draft = db.add_text(NewText { tokens: 40, ..text(Some("Coucou !"), None, 1) }).await.unwrap();

    assert_eq!((draft.state, draft.approvals, draft.tokens), (TextState::Waiting, 0, 40));
    assert!(bodies(&db).await.is_empty());
    db.approve_text(greeting(), 1, (UserId::random(), at(2))).await.unwrap();
    assert_eq!(bodies(&db).await, ["Coucou !"]);
}
