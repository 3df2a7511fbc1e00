//! The languages that users may get, and what is said in them.
//!
//! [`Languages`] holds what is in force, [`Watch`] reads it from the rows. English and Spanish are built in; every
//! other language is a row of the table `languages`, put there by the admin routes or by hand:
//!
//! ```sql
//! INSERT INTO languages (code, name, native_name, is_enabled, is_experimental)
//! VALUES ('fr', 'French', 'Français', true, true);
//! ```
//!
//! How a change arrives, on every replica and on either engine: whoever is about to speak to a user asks for a fresh
//! set, and a set that was read a second ago ([`AGE_MAX`]) is read anew first. So no message is handled in a set
//! that is older, an idle server asks nothing, and a busy one asks once a second. A safety text waits for nothing
//! and is said in the set that is there.
//!
//! A text is looked for in the database, then in the file of its language, then in both for English, and then among
//! a few sentences that are compiled in. Each step to another language is counted by language and key.
//!
//! With the languages come the words that administrators keep for them ([`Lexicon`]), in the same way and as soon.
//!
//! Invariant: a reading that fails changes nothing. The last good set stays in force, and what went wrong is
//! counted, logged and shown to administrators.

mod code;
mod draft;
mod lexicon;
mod overrides;
mod set;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

use fluent_bundle::FluentArgs;
use serde::Serialize;

use crate::{
    storage::LiveText,
    texts::{
        FluentTexts, Text, Texts,
        check::{TextProblem, check},
        count, last_resort,
        lookup::lookup,
        shape::Shape,
    },
};
pub use code::{CodeError, LanguageCode, english_name, validate_language_code};
pub use draft::Order;
pub use lexicon::Lexicon;
use overrides::Overrides;
pub use set::{BrokenRow, ENGLISH, NAME_CHARACTERS_MAX, Set, check_name};
pub use watch::{AGE_MAX, READ_LIMIT, ReloadError, START_LIMIT, StartError, Watch};

/// The languages and texts in force. `Clone` shares them; reading them never waits for a database.
#[derive(Clone, Debug)]
pub struct Languages(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: FluentTexts,
    now: RwLock<Arc<InForce>>,
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An administrator wrote it.
    Database,
    /// It is compiled in.
    File,
    /// The language has none, and English is shown.
    English,
}

/// What is in force at one time.
#[derive(Clone, Debug)]
struct InForce {
    set: Set,
    overrides: Arc<Overrides>,
    lexicon: Arc<Lexicon>,
    /// Why the last reading failed, if it did.
    problem: Option<String>,
}

impl Languages {
    /// Returns the languages that are there without a database.
    pub fn built_in() -> Self {
        let (overrides, lexicon) = (Arc::new(Overrides::none()), Arc::default());
        let now = InForce { set: Set::built_in(), overrides, lexicon, problem: None };
        Self(Arc::new(Shared { files: FluentTexts::built_in(), now: RwLock::new(Arc::new(now)) }))
    }

    /// Returns the set in force.
    pub fn set(&self) -> Set {
        self.now().set.clone()
    }

    /// Returns the words in force.
    pub fn lexicon(&self) -> Arc<Lexicon> {
        Arc::clone(&self.now().lexicon)
    }

    /// Returns why the last reading of the rows failed; `None` when it did not.
    pub fn problem(&self) -> Option<String> {
        self.now().problem.clone()
    }

    /// Returns the keys that have no text in this language, neither in its file nor in the database.
    pub fn missing(&self, code: &str) -> Vec<String> {
        let now = self.now();
        let mut missing = self.0.files.missing(code);
        missing.retain(|key| now.overrides.texts.keys(code).all(|(own, _)| own != key));
        missing
    }

    /// Returns all keys, each with what stands in its English text beside words.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.0.files.keys(ENGLISH)
    }

    /// Checks a text for this key. `None` when there is no such key.
    pub fn check(&self, key: &str, text: &str) -> Option<Result<(), Vec<TextProblem>>> {
        Some(check(text, self.0.files.english(key)?))
    }

    /// Shows a text that passed [`Languages::check`] as users would read it, `value` in the place of variables.
    pub fn preview(&self, key: &str, text: &str, value: &str) -> Option<String> {
        overrides::preview(key, text, (self.0.files.english(key)?, value))
    }

    /// Tells where the text of a key comes from in this language.
    pub fn origin(&self, code: &str, key: &str) -> Origin {
        let now = self.now();
        if now.overrides.texts.has(code, key) {
            Origin::Database
        } else if self.0.files.has(code, key) {
            Origin::File
        } else {
            Origin::English
        }
    }

    /// Puts a set in force.
    fn put(&self, set: Set) {
        self.change(|now| InForce { set, problem: None, ..now.clone() });
    }

    /// Puts texts of the database in force.
    fn put_texts(&self, revision: i64, live: &[LiveText]) {
        let overrides = Arc::new(Overrides::new(revision, live, &self.0.files));
        self.change(|now| InForce { overrides, ..now.clone() });
    }

    /// Puts words of the database in force.
    fn put_lexicon(&self, lexicon: Lexicon) {
        self.change(|now| InForce { lexicon: Arc::new(lexicon), ..now.clone() });
    }

    /// Returns the number of changes of texts that were read.
    fn text_revision(&self) -> Option<i64> {
        self.now().overrides.revision
    }

    /// Keeps what is in force and remembers why nothing newer is.
    fn keep(&self, problem: String) {
        self.change(|now| InForce { problem: Some(problem), ..now.clone() });
    }

    fn change(&self, change: impl FnOnce(&InForce) -> InForce) {
        let mut now = self.0.now.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(change(&now));
    }

    fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl InForce {
    /// Finds the enabled language that a tag asks for.
    fn lookup(&self, tag: &str) -> Option<String> {
        lookup(tag, |code| self.set.is_enabled(code))
    }
}

impl Texts for Languages {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        let arguments: FluentArgs<'_> =
            arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
        let now = self.now();
        let own = now.lookup(language);
        let find = |code: &str| {
            let stored = now.overrides.texts.find(key, code, &arguments);
            stored.or_else(|| self.0.files.find(key, code, &arguments))
        };
        if let Some(own) = &own
            && let Some(text) = find(own)
        {
            return Text { text, language: own.clone(), fell_back: false };
        }
        count(own.as_deref().unwrap_or("other"), key);
        let is_english = own.as_deref() == Some(ENGLISH);
        let text = if is_english { None } else { find(ENGLISH) };
        let text = text.unwrap_or_else(|| {
            count("last_resort", key);
            last_resort::sentence(key).to_owned()
        });
        Text { text, language: ENGLISH.to_owned(), fell_back: !is_english }
    }

    fn resolve(&self, tag: &str) -> String {
        self.now().lookup(tag).unwrap_or_else(|| ENGLISH.to_owned())
    }
}

#[cfg(test)]
mod tests;
