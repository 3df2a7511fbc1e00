//! Codes of languages: ISO 639-1, two lower-case ASCII letters.

use std::fmt;

use isolang::Language;
use serde::Serialize;

/// Codes that ISO 639-1 has taken back, each with what it became.
const WITHDRAWN: [(&str, &str); 6] =
    [("in", "id"), ("iw", "he"), ("ji", "yi"), ("jw", "jv"), ("mo", "ro"), ("sh", "sr")];

/// A code that ISO 639-1 has now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct LanguageCode(String);

impl LanguageCode {
    /// Returns the two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LanguageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no language code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Nothing was given.
    #[error("language code is empty; write two letters such as `fr`")]
    Empty,
    /// White space stands in or around it.
    #[error("language code has white space in it; write the two letters alone, such as `fr`")]
    Spaced,
    /// It is right but for capitals.
    #[error("language code `{0}` has capital letters; write it in lower case")]
    Capitals(String),
    /// A character is no letter from a to z, whatever it looks like.
    #[error("language code holds `{found}` (U+{:04X}), which is no letter from a to z", u32::from(*.found))]
    NotALetter {
        /// The first such character.
        found: char,
    },
    /// It has more or fewer than two letters.
    #[error(
        "language code has {letters} letters, and ISO 639-1 codes have two; write `fr`, not `fra` or `fr-CA`"
    )]
    Length {
        /// How many it has.
        letters: usize,
    },
    /// The standard had it once.
    #[error("language code `{found}` was withdrawn from ISO 639-1; write `{instead}`")]
    Withdrawn {
        /// The old code.
        found: &'static str,
        /// What the language has now.
        instead: &'static str,
    },
    /// No language has it.
    #[error("language code `{0}` is not in ISO 639-1; look up the two letters of the language")]
    Unknown(String),
}

/// Checks that `code` is one of the 183 codes that ISO 639-1 has now.
pub fn validate_language_code(code: &str) -> Result<LanguageCode, CodeError> {
    if code.is_empty() {
        return Err(CodeError::Empty);
    }
    if code.chars().any(char::is_whitespace) {
        return Err(CodeError::Spaced);
    }
    if let Some(found) = code.chars().find(|c| !c.is_ascii_alphabetic()) {
        return Err(CodeError::NotALetter { found });
    }
    if code.len() != 2 {
        return Err(CodeError::Length { letters: code.len() });
    }
    if code.bytes().any(|letter| letter.is_ascii_uppercase()) {
        return Err(CodeError::Capitals(code.to_owned()));
    }
    if let Some((found, instead)) = WITHDRAWN.into_iter().find(|(old, _)| *old == code) {
        return Err(CodeError::Withdrawn { found, instead });
    }
    if Language::from_639_1(code).is_none() {
        return Err(CodeError::Unknown(code.to_owned()));
    }
    Ok(LanguageCode(code.to_owned()))
}

/// Returns the English name of a language, for a text that names it to the model: without what a list of languages
/// adds in brackets, such as the years of Modern Greek.
pub fn english_name(code: &str) -> Option<&'static str> {
    let name = Language::from_639_1(code)?.to_name();
    Some(name.split_once(" (").map_or(name, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_code_that_the_standard_has_now_is_good_f52() {
        let letters = || 'a'..='z';
        let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));

        let good = pairs.filter(|code| validate_language_code(code).is_ok());

        assert_eq!(good.count(), 183);
    }

    #[test]
    fn each_way_to_be_wrong_has_its_own_words_f52() {
        let wrong =
            ["xx", "FR", "fra", "f1", "", "fr ", "\u{444}r", "f\u{430}", "sh", "iw", "in", "ji", "pt-BR"];

        let said: Vec<_> =
            wrong.iter().map(|code| validate_language_code(code).unwrap_err().to_string()).collect();

        insta::assert_snapshot!(said.join("\n"), @"
        language code `xx` is not in ISO 639-1; look up the two letters of the language
        language code `FR` has capital letters; write it in lower case
        language code has 3 letters, and ISO 639-1 codes have two; write `fr`, not `fra` or `fr-CA`
        language code holds `1` (U+0031), which is no letter from a to z
        language code is empty; write two letters such as `fr`
        language code has white space in it; write the two letters alone, such as `fr`
        language code holds `ф` (U+0444), which is no letter from a to z
        language code holds `а` (U+0430), which is no letter from a to z
        language code `sh` was withdrawn from ISO 639-1; write `sr`
        language code `iw` was withdrawn from ISO 639-1; write `he`
        language code `in` was withdrawn from ISO 639-1; write `id`
        language code `ji` was withdrawn from ISO 639-1; write `yi`
        language code holds `-` (U+002D), which is no letter from a to z
        ");
    }

    #[test]
    fn a_language_is_named_to_the_model_without_brackets_f59() {
        let names = ["en", "es", "fr", "pt", "el", "xx"].map(english_name);

        let expected = ["English", "Spanish", "French", "Portuguese", "Modern Greek"].map(Some);
        assert_eq!(names[..5], expected);
        assert_eq!(names[5], None);
    }

    proptest! {
        #[test]
        fn what_passes_is_two_small_letters_whatever_comes_f52(text in ".{0,4}|[a-zA-Z]{1,3}") {
            if let Ok(code) = validate_language_code(&text) {
                prop_assert_eq!(code.as_str(), &text);
                prop_assert!(text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_lowercase()));
            }
        }
    }
}
