//! A set of languages as it was read at one time.

use std::collections::BTreeMap;

use super::{LanguageCode, validate_language_code};
use crate::storage::Language;

/// The languages whose texts are compiled in and which are there without any row: code, name, own name.
const BUILT_IN: [(&str, &str, &str); 2] = [("en", "English", "English"), ("es", "Spanish", "Español")];

/// The language of last resort. It cannot be disabled.
pub const ENGLISH: &str = "en";

/// Longest name of a language, in characters.
pub const NAME_CHARACTERS_MAX: usize = 100;

/// A row that cannot be what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row `{code}` of `languages` cannot be used: {problem}; correct or delete it")]
pub struct BrokenRow {
    /// What stands in its column `code`.
    pub code: String,
    /// What is wrong.
    pub problem: String,
}

/// Languages by code. English is always among the enabled ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set(BTreeMap<String, Language>);

impl Set {
    /// Returns what there is without a database.
    pub fn built_in() -> Self {
        Self(BUILT_IN.into_iter().map(built_in).collect())
    }

    /// Builds the set from the rows of the database. Built-in languages that have no row are there all the same.
    ///
    /// One broken row breaks the whole: half a set would take a language from somebody and say nothing.
    pub fn from_rows(rows: impl IntoIterator<Item = Language>) -> Result<Self, BrokenRow> {
        let mut set = Self::built_in();
        for row in rows {
            check(&row)?;
            set.0.insert(row.code.clone(), row);
        }
        Ok(set)
    }

    /// Returns the language of this code, enabled or not.
    pub fn get(&self, code: &str) -> Option<&Language> {
        self.0.get(code)
    }

    /// Tells whether users may get this language.
    pub fn is_enabled(&self, code: &str) -> bool {
        self.get(code).is_some_and(|language| language.is_enabled)
    }

    /// Returns all of them by code, enabled or not.
    pub fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.values()
    }
}

fn built_in((code, name, native_name): (&str, &str, &str)) -> (String, Language) {
    let language = Language {
        code: code.to_owned(),
        name: name.to_owned(),
        native_name: native_name.to_owned(),
        is_enabled: true,
        is_experimental: false,
    };
    (code.to_owned(), language)
}

fn check(row: &Language) -> Result<LanguageCode, BrokenRow> {
    let broken = |problem: String| BrokenRow { code: row.code.clone(), problem };
    let code = validate_language_code(&row.code).map_err(|error| broken(error.to_string()))?;
    for (column, name) in [("name", &row.name), ("native_name", &row.native_name)] {
        check_name(name).map_err(|problem| broken(format!("`{column}` {problem}")))?;
    }
    if row.code == ENGLISH && !row.is_enabled {
        return Err(broken("English is the language of last resort and is always enabled".to_owned()));
    }
    Ok(code)
}

/// Says what is wrong with the name of a language.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("is empty; write what the language is called".to_owned());
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(format!("has more than {NAME_CHARACTERS_MAX} characters; shorten it"));
    }
    if name.chars().any(char::is_control) {
        return Err("has control characters in it; leave them out".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(code: &str, is_enabled: bool) -> Language {
        let (name, native_name) = ("Name".to_owned(), "Own".to_owned());
        Language { code: code.to_owned(), name, native_name, is_enabled, is_experimental: true }
    }

    #[test]
    fn an_empty_table_leaves_english_and_spanish_f49() {
        let set = Set::from_rows([]).unwrap();

        assert_eq!(set, Set::built_in());
        assert!(set.is_enabled("en") && set.is_enabled("es") && !set.is_enabled("fr"));
    }

    #[test]
    fn a_row_takes_the_place_of_what_is_built_in_f49() {
        let set = Set::from_rows([row("es", false), row("fr", true)]).unwrap();

        assert!(set.is_enabled("en") && !set.is_enabled("es") && set.is_enabled("fr"));
    }

    #[test]
    fn one_broken_row_breaks_the_whole_and_is_named_f54() {
        let rows = [
            row("xx", true),
            row("FR", true),
            row("en", false),
            Language { name: " ".into(), ..row("pt", true) },
        ];

        let said: Vec<_> = rows
            .into_iter()
            .map(|broken| Set::from_rows([row("fr", true), broken]).unwrap_err().to_string())
            .collect();

        insta::assert_snapshot!(said.join("\n"), @"
        row `xx` of `languages` cannot be used: language code `xx` is not in ISO 639-1; look up the two letters of the language; correct or delete it
        row `FR` of `languages` cannot be used: language code `FR` has capital letters; write it in lower case; correct or delete it
        row `en` of `languages` cannot be used: English is the language of last resort and is always enabled; correct or delete it
        row `pt` of `languages` cannot be used: `name` is empty; write what the language is called; correct or delete it
        ");
    }
}
