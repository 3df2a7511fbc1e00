//! Words that administrators keep: each once, within a bound, and counted when they change.

use server::storage::{Database, SYMPTOM_WORDS_MAX, StorageError, SymptomWord, WordStore};

use super::{race, stories};

stories!(a_word_is_added_once_in_a_race_and_removed_f64, a_language_has_so_many_words_and_no_more_f64,);

fn word(language: &str, folded: &str, word: &str) -> SymptomWord {
    SymptomWord { language: language.to_owned(), folded: folded.to_owned(), word: word.to_owned() }
}

async fn a_word_is_added_once_in_a_race_and_removed_f64(db: Database) {
    let before = db.word_revision().await.unwrap();
    let nausea = || word("fr", "nausee", "Nausée");

    let added =
        race(
            &db,
            8,
            |db, _| async move { db.add_symptom_word(word("fr", "nausee", "Nausée")).await.unwrap() },
        )
        .await;
    assert!(db.add_symptom_word(word("es", "nausee", "nausee")).await.unwrap());
    assert!(db.add_symptom_word(word("fr", "gene", "gêne")).await.unwrap());

    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let expected = [word("es", "nausee", "nausee"), word("fr", "gene", "gêne"), nausea()];
    assert_eq!(db.symptom_words().await.unwrap(), expected);
    assert_eq!(db.word_revision().await.unwrap(), before + 3);
    assert!(db.remove_symptom_word("fr", "nausee").await.unwrap());
    assert!(!db.remove_symptom_word("fr", "nausee").await.unwrap());
    assert_eq!(db.symptom_words().await.unwrap(), expected[..2]);
    assert_eq!(db.word_revision().await.unwrap(), before + 4);
}

async fn a_language_has_so_many_words_and_no_more_f64(db: Database) {
    let one = |n: u32| word("fr", &format!("w{n}"), "w");
    for n in 0..SYMPTOM_WORDS_MAX {
        assert!(db.add_symptom_word(one(n)).await.unwrap());
    }
    let full = db.word_revision().await.unwrap();

    let refused = db.add_symptom_word(one(SYMPTOM_WORDS_MAX)).await;

    assert!(matches!(refused, Err(StorageError::TooMany { most: SYMPTOM_WORDS_MAX, .. })), "{refused:?}");
    assert!(!db.add_symptom_word(one(0)).await.unwrap());
    assert_eq!(db.word_revision().await.unwrap(), full);
    assert!(db.add_symptom_word(word("es", "w", "w")).await.unwrap());
}
