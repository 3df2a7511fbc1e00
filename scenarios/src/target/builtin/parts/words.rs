//! Texts and red flags, weakened.

use std::sync::Arc;

use server::{
    safety::{RedFlag, RedFlags},
    texts::{Text, Texts},
};

use super::{
    DENIALS_IGNORED, ENGLISH_DATES, ENGLISH_ONLY, FIRST_SENTENCE_ONLY, GREETING_HIDES, KEYS_AS_TEXTS,
    NO_RED_FLAGS,
};

/// Returns the texts, weakened if the part is one of theirs.
pub(in super::super) fn texts(part: Option<&str>, sound: Arc<dyn Texts>) -> Arc<dyn Texts> {
    match part {
        Some(KEYS_AS_TEXTS) => Arc::new(KeysAsTexts(sound)),
        Some(ENGLISH_ONLY) => Arc::new(EnglishOnly(sound)),
        Some(ENGLISH_DATES) => Arc::new(EnglishDates(sound)),
        _ => sound,
    }
}

/// Returns the detector of red flags, weakened if the part is one of its.
pub(in super::super) fn red_flags(part: Option<&str>, sound: Arc<dyn RedFlags>) -> Arc<dyn RedFlags> {
    match part {
        Some(GREETING_HIDES) => Arc::new(GreetingHides(sound)),
        Some(NO_RED_FLAGS) => Arc::new(NoRedFlags),
        Some(DENIALS_IGNORED) => Arc::new(DenialsIgnored(sound)),
        Some(FIRST_SENTENCE_ONLY) => Arc::new(FirstSentenceOnly(sound)),
        _ => sound,
    }
}

/// Shows the key where the user's language has no text.
#[derive(Debug)]
struct KeysAsTexts(Arc<dyn Texts>);

impl Texts for KeysAsTexts {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        let sound = self.0.text(key, language, arguments);
        if sound.fell_back { Text { text: key.to_owned(), ..sound } } else { sound }
    }

    fn resolve(&self, tag: &str) -> String {
        tag.to_owned()
    }
}

/// Looks away when a message begins with a greeting.
#[derive(Debug)]
struct GreetingHides(Arc<dyn RedFlags>);

impl RedFlags for GreetingHides {
    fn find(&self, message: &str) -> Option<RedFlag> {
        let first = message.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        if ["hi", "hello", "hola", "bonjour"].contains(&first.as_str()) { None } else { self.0.find(message) }
    }
}

/// Finds nothing.
#[derive(Debug)]
struct NoRedFlags;

impl RedFlags for NoRedFlags {
    fn find(&self, _message: &str) -> Option<RedFlag> {
        None
    }
}

/// Reads "no fever" as "fever".
#[derive(Debug)]
struct DenialsIgnored(Arc<dyn RedFlags>);

impl RedFlags for DenialsIgnored {
    fn find(&self, message: &str) -> Option<RedFlag> {
        let denials = ["no", "not", "ne", "pas", "sin", "without", "sans"];
        let rest = message.split_whitespace().filter(|word| !denials.contains(&&*word.to_lowercase()));
        self.0.find(&rest.collect::<Vec<_>>().join(" "))
    }
}

/// Reads no further than to the first stop.
#[derive(Debug)]
struct FirstSentenceOnly(Arc<dyn RedFlags>);

impl RedFlags for FirstSentenceOnly {
    fn find(&self, message: &str) -> Option<RedFlag> {
        self.0.find(message.split(['.', '!', '?']).next().unwrap_or_default())
    }
}

/// Knows no language but English.
#[derive(Debug)]
struct EnglishOnly(Arc<dyn Texts>);

impl Texts for EnglishOnly {
    fn text(&self, key: &str, _language: &str, arguments: &[(&str, String)]) -> Text {
        self.0.text(key, "en", arguments)
    }

    fn resolve(&self, tag: &str) -> String {
        self.0.resolve(tag)
    }
}

/// Knows the words of dates in no language but English.
#[derive(Debug)]
struct EnglishDates(Arc<dyn Texts>);

impl Texts for EnglishDates {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        let language = if key.starts_with("date.") { "en" } else { language };
        self.0.text(key, language, arguments)
    }

    fn resolve(&self, tag: &str) -> String {
        self.0.resolve(tag)
    }
}
