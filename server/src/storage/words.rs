//! Words that administrators keep for a language.

use async_trait::async_trait;

use serde::Serialize;

use super::Stored;

/// Most words of symptoms that a language may have.
pub const SYMPTOM_WORDS_MAX: u32 = 500;

/// Most terms that the glossary of a language may have.
pub const GLOSSARY_TERMS_MAX: u32 = 300;

/// What users of a language call a symptom: a word, or a few of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymptomWord {
    /// Code of its language.
    pub language: String,
    /// The word in lower case and without diacritics, by which it is known.
    pub folded: String,
    /// As it was written.
    pub word: String,
}

/// How a medical term is to be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GlossaryTerm {
    /// The term in lower case and without diacritics, by which it is known.
    #[serde(skip)]
    pub folded: String,
    /// As users say it.
    pub term: String,
    /// As it is to be said to them.
    pub preferred: String,
    /// As it is not to be said; none of these has a line break.
    pub avoid: Vec<String>,
}

/// The part of [`Storage`](super::Storage) that keeps words. The same promises hold.
#[async_trait]
pub trait WordStore: Send + Sync {
    /// Returns a number that grows with every change of a word.
    async fn word_revision(&self) -> Stored<i64>;
    /// Returns the words of symptoms of all languages, by language and folded form.
    async fn symptom_words(&self) -> Stored<Vec<SymptomWord>>;
    /// Adds a word; `false` when its language has it, however that one is written. One more than
    /// [`SYMPTOM_WORDS_MAX`] in a language is [`TooMany`](super::StorageError::TooMany).
    async fn add_symptom_word(&self, word: SymptomWord) -> Stored<bool>;
    /// Removes a word by its folded form; `false` when its language has none such.
    async fn remove_symptom_word(&self, language: &str, folded: &str) -> Stored<bool>;
    /// Returns the glossaries of all languages, by language and folded form, each term with its language.
    async fn glossary(&self) -> Stored<Vec<(String, GlossaryTerm)>>;
    /// Puts these terms in the place of those that a language has. More than [`GLOSSARY_TERMS_MAX`] are
    /// [`TooMany`](super::StorageError::TooMany), and nothing has changed then. Of two with one folded form the last stays.
    async fn replace_glossary(&self, language: &str, terms: &[GlossaryTerm]) -> Stored<()>;
}
