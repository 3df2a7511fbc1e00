//! Words that administrators keep: each once, within a bound, and counted when they change.

use server::storage::{
    Database, GLOSSARY_TERMS_MAX, GlossaryTerm, SYMPTOM_WORDS_MAX, StorageError, SymptomWord, WordStore,
};

use super::{race, stories};

stories!(
    a_word_is_added_once_in_a_race_and_removed_f64,
    a_language_has_so_many_words_and_no_more_f64,
    a_glossary_takes_the_place_of_the_one_before_f63,
    glossaries_that_race_do_not_mix_f63,
    a_glossary_has_so_many_terms_and_no_more_f63,
);

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

fn term(folded: &str, avoid: &[&str]) -> GlossaryTerm {
    GlossaryTerm {
        folded: folded.to_owned(),
        term: folded.to_uppercase(),
        preferred: format!("the {folded}"),
        avoid: avoid.iter().map(|word| (*word).to_owned()).collect(),
    }
}

async fn of(db: &Database, language: &str) -> Vec<GlossaryTerm> {
    let all = db.glossary().await.unwrap().into_iter();
    all.filter(|(code, _)| code == language).map(|(_, term)| term).collect()
}

async fn a_glossary_takes_the_place_of_the_one_before_f63(db: Database) {
    let before = db.word_revision().await.unwrap();

    db.replace_glossary("fr", &[term("b", &[]), term("a", &["x; y", "z, «é»"])]).await.unwrap();
    db.replace_glossary("es", &[term("a", &[])]).await.unwrap();
    assert_eq!(of(&db, "fr").await, [term("a", &["x; y", "z, «é»"]), term("b", &[])]);
    db.replace_glossary("fr", &[term("a", &[])]).await.unwrap();

    assert_eq!(of(&db, "fr").await, [term("a", &[])]);
    db.replace_glossary("fr", &[]).await.unwrap();
    assert_eq!(db.glossary().await.unwrap(), [("es".to_owned(), term("a", &[]))]);
    assert_eq!(db.word_revision().await.unwrap(), before + 4);
}

async fn glossaries_that_race_do_not_mix_f63(db: Database) {
    race(&db, 8, |db, i| async move {
        let terms: Vec<_> = (0..20).map(|n| term(&format!("t{n:02}"), &[&format!("{i}")])).collect();
        db.replace_glossary("fr", &terms[i..]).await.unwrap();
    })
    .await;

    let stored = of(&db, "fr").await;
    let writer: usize = stored[0].avoid[0].parse().unwrap();
    assert_eq!(stored.len(), 20 - writer);
    assert!(stored.iter().all(|term| term.avoid == stored[0].avoid));
}

async fn a_glossary_has_so_many_terms_and_no_more_f63(db: Database) {
    let terms: Vec<_> = (0..=GLOSSARY_TERMS_MAX).map(|n| term(&format!("t{n}"), &[])).collect();
    let full = &terms[1..];
    db.replace_glossary("fr", full).await.unwrap();

    let refused = db.replace_glossary("fr", &terms).await;

    assert!(matches!(refused, Err(StorageError::TooMany { most: GLOSSARY_TERMS_MAX, .. })), "{refused:?}");
    assert_eq!(of(&db, "fr").await.len(), full.len());
}
