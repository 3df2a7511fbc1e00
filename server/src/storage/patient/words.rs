//! Calls about words, with a limit of time.

use async_trait::async_trait;

use super::Patient;
use crate::storage::{GlossaryTerm, Stored, SymptomWord, WordStore};

#[async_trait]
impl WordStore for Patient {
    async fn word_revision(&self) -> Stored<i64> {
        self.within(self.inner.word_revision()).await
    }

    async fn symptom_words(&self) -> Stored<Vec<SymptomWord>> {
        self.within(self.inner.symptom_words()).await
    }

    async fn add_symptom_word(&self, word: SymptomWord) -> Stored<bool> {
        self.within(self.inner.add_symptom_word(word)).await
    }

    async fn remove_symptom_word(&self, language: &str, folded: &str) -> Stored<bool> {
        self.within(self.inner.remove_symptom_word(language, folded)).await
    }

    async fn glossary(&self) -> Stored<Vec<(String, GlossaryTerm)>> {
        self.within(self.inner.glossary()).await
    }

    async fn replace_glossary(&self, language: &str, terms: &[GlossaryTerm]) -> Stored<()> {
        self.within(self.inner.replace_glossary(language, terms)).await
    }
}
