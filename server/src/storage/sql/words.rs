//! Words that administrators keep for a language.
//!
//! Writers stand in line at the row that counts the changes; what changes nothing is not counted.

use async_trait::async_trait;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, text},
};
use crate::storage::{
    GLOSSARY_TERMS_MAX, GlossaryTerm, SYMPTOM_WORDS_MAX, StorageError, Stored, SymptomWord, WordStore,
};

#[async_trait]
impl WordStore for Database {
    async fn word_revision(&self) -> Stored<i64> {
        let query = sqlx::query("SELECT number FROM revisions WHERE name = 'words'");
        let row = query.first(self).await?;
        row.map_or(Ok(0), |row| Columns::new("revisions", &row).get("number"))
    }

    async fn symptom_words(&self) -> Stored<Vec<SymptomWord>> {
        let rows = sqlx::query("SELECT language, folded, word FROM symptom_words").all(self).await?;
        let mut words = rows.iter().map(symptom_word).collect::<Stored<Vec<_>>>()?;
        // Sorted here: the engines order texts by different rules.
        words.sort_by(|a, b| (&a.language, &a.folded).cmp(&(&b.language, &b.folded)));
        Ok(words)
    }

    async fn add_symptom_word(&self, new: SymptomWord) -> Stored<bool> {
        const INSERT: &str = "INSERT INTO symptom_words (language, folded, word) VALUES ($1, $2, $3) \
            ON CONFLICT (language, folded) DO NOTHING";
        let mut tx = self.write().await?;
        count_change(&mut tx).await?;
        let done = sqlx::query(INSERT)
            .bind(text(&new.language))
            .bind(text(&new.folded))
            .bind(text(&new.word))
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        if symptom_words_of(&mut tx, &new.language).await? > SYMPTOM_WORDS_MAX {
            tx.rollback().await?;
            return Err(StorageError::TooMany { what: "words in this language", most: SYMPTOM_WORDS_MAX });
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn remove_symptom_word(&self, language: &str, folded: &str) -> Stored<bool> {
        let mut tx = self.write().await?;
        count_change(&mut tx).await?;
        let query = sqlx::query("DELETE FROM symptom_words WHERE language = $1 AND folded = $2");
        let done = query.bind(text(language)).bind(text(folded)).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn glossary(&self) -> Stored<Vec<(String, GlossaryTerm)>> {
        let query = sqlx::query("SELECT language, folded, term, preferred, avoid FROM glossary_terms");
        let rows = query.all(self).await?;
        let mut terms = rows.iter().map(glossary_term).collect::<Stored<Vec<_>>>()?;
        terms.sort_by(|(a, one), (b, other)| (a, &one.folded).cmp(&(b, &other.folded)));
        Ok(terms)
    }

    async fn replace_glossary(&self, language: &str, terms: &[GlossaryTerm]) -> Stored<()> {
        if terms.len() > GLOSSARY_TERMS_MAX as usize {
            return Err(StorageError::TooMany { what: "terms in this glossary", most: GLOSSARY_TERMS_MAX });
        }
        let mut tx = self.write().await?;
        count_change(&mut tx).await?;
        let query = sqlx::query("DELETE FROM glossary_terms WHERE language = $1");
        query.bind(text(language)).execute(&mut *tx).await?;
        for term in terms {
            insert_term(&mut tx, language, term).await?;
        }
        tx.commit().await
    }
}

/// Tells everybody that words have changed, and holds back every other writer of words.
async fn count_change(tx: &mut Tx) -> Stored<()> {
    let query = sqlx::query("UPDATE revisions SET number = number + 1 WHERE name = 'words'");
    query.execute(&mut **tx).await?;
    Ok(())
}

async fn symptom_words_of(tx: &mut Tx, language: &str) -> Stored<u32> {
    let query = sqlx::query("SELECT COUNT(*) AS words FROM symptom_words WHERE language = $1");
    let row = query.bind(text(language)).fetch_one(&mut **tx).await?;
    Columns::new("symptom_words", &row).count("words")
}

fn symptom_word(row: &AnyRow) -> Stored<SymptomWord> {
    let row = Columns::new("symptom_words", row);
    Ok(SymptomWord { language: row.text("language")?, folded: row.text("folded")?, word: row.text("word")? })
}

async fn insert_term(tx: &mut Tx, language: &str, term: &GlossaryTerm) -> Stored<()> {
    const INSERT: &str = "INSERT INTO glossary_terms (language, folded, term, preferred, avoid) \
        VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (language, folded) DO UPDATE SET term = $3, preferred = $4, avoid = $5";
    sqlx::query(INSERT)
        .bind(text(language))
        .bind(text(&term.folded))
        .bind(text(&term.term))
        .bind(text(&term.preferred))
        .bind(text(&term.avoid.join("\n")))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn glossary_term(row: &AnyRow) -> Stored<(String, GlossaryTerm)> {
    let row = Columns::new("glossary_terms", row);
    let term = GlossaryTerm {
        folded: row.text("folded")?,
        term: row.text("term")?,
        preferred: row.text("preferred")?,
        avoid: row.text("avoid")?.lines().map(str::to_owned).collect(),
    };
    Ok((row.text("language")?, term))
}
