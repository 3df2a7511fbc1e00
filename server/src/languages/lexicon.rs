//! Words that administrators keep, as messages are looked at with them.

use crate::{
    classify::{SymptomWords, check_symptom},
    glossary::Glossary,
    storage::{GlossaryTerm, SymptomWord},
};

/// The words in force at one time.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    /// What users call a symptom.
    pub symptoms: SymptomWords,
    /// How medical terms are to be said.
    pub glossary: Glossary,
    /// The number of changes of words when these were read; `None` when none were.
    pub(super) revision: Option<i64>,
}

impl Lexicon {
    /// Builds it from the rows of the database. A word that could not have been saved by the routes is left out and
    /// reported: it might be found in every message.
    pub(super) fn new(revision: i64, words: &[SymptomWord], terms: &[(String, GlossaryTerm)]) -> Self {
        let mut symptoms = SymptomWords::default();
        for SymptomWord { language, word, .. } in words {
            match check_symptom(word) {
                Ok(_) => symptoms.add(language, word),
                Err(problem) => left_out(language, &problem),
            }
        }
        let mut glossary = Glossary::default();
        for (language, term) in terms {
            glossary.add(language, term);
        }
        Self { symptoms, glossary, revision: Some(revision) }
    }
}

fn left_out(language: &str, problem: &dyn std::error::Error) {
    metrics::counter!("broken_words_total").increment(1);
    tracing::error!(language, %problem, "word of the database is left out");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::{Intent, classify};

    #[test]
    fn a_row_that_would_be_found_everywhere_is_left_out_alone_f64() {
        let row = |word: &str| SymptomWord {
            language: "en".to_owned(),
            folded: word.to_owned(),
            word: word.to_owned(),
        };

        let lexicon = Lexicon::new(3, &[row("the"), row("zaps"), row("?")], &[]);

        let intent = |message| classify(message, "en", None, &lexicon.symptoms).intent;
        assert_eq!((intent("the zaps"), intent("the lamp")), (Intent::SymptomReport, Intent::Unclear));
        assert_eq!(lexicon.revision, Some(3));
    }
}
