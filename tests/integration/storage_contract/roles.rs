//! The role of the chat on PostgreSQL: what it can do, and what it cannot.

use server::storage::{
    ConsentStore as _, Database, Expected, Offered, Place, Purpose, ReminderOutcome, Storage, StorageError,
    SuggestionType, WordStore as _,
};
use uuid::Uuid;

use super::{
    CONNECTIONS, LIMITS, add_user, at, consents::consent, fact, new_session, reminder, said, suggestion,
};
use crate::support::postgres::Fresh;

/// How a role is made, as operators do it.
const SCRIPT: &str = include_str!("../../../deploy/postgres/chat_role.sql");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_of_the_chat_does_all_that_a_turn_needs_and_makes_no_reminder_f70() {
    let Some(fresh) = Fresh::database().await else { return };
    let owner = Database::open(&fresh.url, CONNECTIONS).await.unwrap();
    let role = format!("chat_{}", Uuid::new_v4().simple());
    // Once for the first time, and once as after an upgrade.
    for _ in 0..2 {
        fresh.run(&SCRIPT.replace("gauntlet_chat", &role)).await;
    }
    let chat = Database::join(&fresh.as_role(&role), CONNECTIONS).await.unwrap();
    let user = add_user(&owner).await;

    let session = chat.begin_session(new_session(user, None)).await.unwrap();
    chat.append_message(said(user, session.id, "I have a headache"), Place::Within(10))
        .await
        .unwrap()
        .unwrap();
    chat.write_fact(fact(user, "vegan", Expected::Absent)).await.unwrap();
    chat.preferences(user).await.unwrap();
    chat.word_revision().await.unwrap();
    assert!(chat.symptom_words().await.unwrap().is_empty() && chat.glossary().await.unwrap().is_empty());
    assert!(chat.replace_glossary("en", &[]).await.is_err());
    assert_eq!(chat.consent(user, Purpose::AiProviderTransfer).await.unwrap(), None);
    assert!(chat.give_consent(consent(user, Purpose::AiProviderTransfer, 0)).await.is_err());
    let new = suggestion(user, SuggestionType::SymptomFollowup, 0);
    let offered = chat.offer_suggestion(new.clone(), LIMITS).await.unwrap();
    assert!(matches!(offered, Offered::Stored(_)), "{offered:?}");
    assert!(chat.reminders(user).await.unwrap().is_empty());
    for asked in [reminder(user, None, 1), reminder(user, Some(new.id), 1)] {
        let refused = chat.create_reminder(asked).await;
        assert!(matches!(&refused, Err(StorageError::Engine(error)) if is_forbidden(error)), "{refused:?}");
    }

    assert_eq!(
        owner.pending_suggestions(user, at(1)).await.unwrap().len(),
        1,
        "nothing was confirmed by halves"
    );
    let made = owner.create_reminder(reminder(user, Some(new.id), 1)).await.unwrap();
    let ReminderOutcome::Created(made) = made else { panic!("{made:?}") };
    assert!(chat.delete_reminder(user, made.id, at(2)).await.is_err());
    assert_eq!(owner.reminders(user).await.unwrap(), [made]);
    chat.close().await;
    owner.close().await;
    fresh.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    fresh.drop_database().await;
}

/// SQLSTATE 42501: insufficient privilege.
fn is_forbidden(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "42501")
}
