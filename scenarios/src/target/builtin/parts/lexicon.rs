//! Words of administrators as a weakened storage keeps them.

use async_trait::async_trait;
use server::storage::{GlossaryTerm, Stored, SymptomWord, WordStore};

use super::{super::under::Does, Twist, WatchedStorage, handed_on};

#[async_trait]
impl WordStore for WatchedStorage {
    async fn word_revision(&self) -> Stored<i64> {
        let revision = handed_on!(Read, self.word_revision())?;
        match self.twist {
            Twist::WordsReadOnce => Ok(*self.tongues().words.get_or_insert(revision)),
            _ => Ok(revision),
        }
    }

    async fn symptom_words(&self) -> Stored<Vec<SymptomWord>> {
        handed_on!(Read, self.symptom_words())
    }

    async fn add_symptom_word(&self, word: SymptomWord) -> Stored<bool> {
        handed_on!(Write, self.add_symptom_word(word))
    }

    async fn remove_symptom_word(&self, language: &str, folded: &str) -> Stored<bool> {
        if self.twist == Twist::RemovedWordStays {
            return Ok(true);
        }
        handed_on!(Write, self.remove_symptom_word(language, folded))
    }

    async fn glossary(&self) -> Stored<Vec<(String, GlossaryTerm)>> {
        let mut terms = handed_on!(Read, self.glossary())?;
        if self.twist == Twist::GlossaryOfAll {
            for (language, _) in &mut terms {
                "en".clone_into(language);
            }
        }
        Ok(terms)
    }

    async fn replace_glossary(&self, language: &str, terms: &[GlossaryTerm]) -> Stored<()> {
        if self.twist == Twist::ImportForgotten {
            return Ok(());
        }
        handed_on!(Write, self.replace_glossary(language, terms))
    }
}
