//! Consents: what was agreed to, what was shown, and what became of it.

use server::{
    ids::UserId,
    storage::{CONSENTS_MAX, Consent, ConsentStore as _, Database, NewConsent, Purpose, StorageError},
};

use super::{add_user, at, race, stories};

stories!(
    a_consent_is_kept_with_its_words_also_when_it_is_withdrawn_f114,
    the_same_words_are_agreed_to_once_and_others_anew_f114,
    a_consent_is_of_one_user_and_for_one_purpose_f114,
    consents_given_and_withdrawn_at_once_leave_one_state_f114,
    nobody_changes_his_mind_without_end_f114,
);

const TRANSFER: Purpose = Purpose::AiProviderTransfer;

pub(super) fn consent(user: UserId, purpose: Purpose, seconds: i64) -> NewConsent {
    let (language, text) = ("es".to_owned(), "¿De acuerdo?\0".to_owned());
    NewConsent { user, purpose, version: 1, language, text, at: at(seconds) }
}

fn kept(seconds: i64, withdrawn: Option<i64>) -> Consent {
    Consent {
        purpose: TRANSFER,
        version: 1,
        language: "es".to_owned(),
        text: "¿De acuerdo?\u{FFFD}".to_owned(),
        given_at: at(seconds),
        withdrawn_at: withdrawn.map(at),
    }
}

async fn a_consent_is_kept_with_its_words_also_when_it_is_withdrawn_f114(db: Database) {
    let user = add_user(&db).await;
    assert_eq!(db.consent(user, TRANSFER).await.unwrap(), None);
    assert!(!db.withdraw_consent(user, TRANSFER, at(0)).await.unwrap());

    assert_eq!(db.give_consent(consent(user, TRANSFER, 1)).await.unwrap(), kept(1, None));
    assert_eq!(db.consent(user, TRANSFER).await.unwrap(), Some(kept(1, None)));
    assert!(db.withdraw_consent(user, TRANSFER, at(2)).await.unwrap());
    assert!(!db.withdraw_consent(user, TRANSFER, at(3)).await.unwrap());
    assert_eq!(db.consent(user, TRANSFER).await.unwrap(), Some(kept(1, Some(2))));
    db.give_consent(consent(user, TRANSFER, 4)).await.unwrap();

    assert_eq!(db.consents(user, TRANSFER).await.unwrap(), [kept(1, Some(2)), kept(4, None)]);
}

async fn the_same_words_are_agreed_to_once_and_others_anew_f114(db: Database) {
    let user = add_user(&db).await;
    db.give_consent(consent(user, TRANSFER, 1)).await.unwrap();

    assert_eq!(db.give_consent(consent(user, TRANSFER, 2)).await.unwrap(), kept(1, None));
    let newer = NewConsent { version: 2, ..consent(user, TRANSFER, 3) };
    let stored = db.give_consent(newer).await.unwrap();

    assert_eq!((stored.version, stored.given_at), (2, at(3)));
    assert_eq!(db.consents(user, TRANSFER).await.unwrap(), [kept(1, None), stored]);
    assert!(db.withdraw_consent(user, TRANSFER, at(4)).await.unwrap());
    let all = db.consents(user, TRANSFER).await.unwrap();
    assert!(all.iter().all(|consent| consent.withdrawn_at == Some(at(4))), "{all:?}");
}

async fn a_consent_is_of_one_user_and_for_one_purpose_f114(db: Database) {
    let (user, other) = (add_user(&db).await, add_user(&db).await);
    db.give_consent(consent(user, TRANSFER, 1)).await.unwrap();
    db.give_consent(consent(other, Purpose::Terms, 1)).await.unwrap();

    assert!(!db.withdraw_consent(other, TRANSFER, at(2)).await.unwrap());
    assert!(!db.withdraw_consent(user, Purpose::Terms, at(2)).await.unwrap());
    assert_eq!(db.consent(user, TRANSFER).await.unwrap(), Some(kept(1, None)));
    assert_eq!(db.consent(other, TRANSFER).await.unwrap(), None);
}

async fn consents_given_and_withdrawn_at_once_leave_one_state_f114(db: Database) {
    let user = add_user(&db).await;

    race(&db, 20, move |db, i| async move {
        let seconds = i64::try_from(i).unwrap();
        match i % 2 {
            0 => db.give_consent(consent(user, TRANSFER, seconds)).await.map(drop),
            _ => db.withdraw_consent(user, TRANSFER, at(seconds)).await.map(drop),
        }
        .unwrap();
    })
    .await;

    let all = db.consents(user, TRANSFER).await.unwrap();
    let open = all.iter().rposition(|consent| consent.withdrawn_at.is_none());
    assert!((1..=10).contains(&all.len()), "{all:?}");
    assert!(open.is_none_or(|place| place + 1 == all.len()), "an old one is in force: {all:?}");
    assert!(all.iter().filter(|consent| consent.withdrawn_at.is_none()).count() <= 1, "{all:?}");
}

async fn nobody_changes_his_mind_without_end_f114(db: Database) {
    let user = add_user(&db).await;
    for n in 0..i64::from(CONSENTS_MAX) {
        db.give_consent(consent(user, TRANSFER, n)).await.unwrap();
        db.withdraw_consent(user, TRANSFER, at(n)).await.unwrap();
    }

    let refused = db.give_consent(consent(user, TRANSFER, 0)).await;

    assert!(matches!(refused, Err(StorageError::TooMany { most: CONSENTS_MAX, .. })), "{refused:?}");
    assert_eq!(db.consents(user, TRANSFER).await.unwrap().len(), CONSENTS_MAX as usize);
}
