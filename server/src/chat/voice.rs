//! The texts of a conversation, in its user's language.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    classify::{Intent, SmallTalk},
    llm::{Failure, Reason},
    safety::RedFlag,
    texts::{SharedTexts, lookup::is_of},
};

use super::protocol::Code;

/// Speaks to one user, in the language that the user wants now. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Voice {
    texts: SharedTexts,
    /// The user's preference as a tag; whether it can be had is asked anew for each text.
    wanted: Arc<RwLock<String>>,
}

impl Voice {
    /// Makes a voice for a user of this language.
    pub fn new(texts: SharedTexts, language: &str) -> Self {
        Self { texts, wanted: Arc::new(RwLock::new(language.to_owned())) }
    }

    /// Returns the language as a resolved code.
    pub(super) fn language(&self) -> String {
        self.texts.resolve(&self.wanted())
    }

    /// Returns the user's preference.
    pub(super) fn wanted(&self) -> String {
        self.wanted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Speaks another language from now on, if it can be had.
    pub(super) fn prefer(&self, language: &str) {
        let mut wanted = self.wanted.write().unwrap_or_else(PoisonError::into_inner);
        if *wanted != language {
            language.clone_into(&mut wanted);
        }
    }

    /// Tells whether the user gets another language than the preferred one.
    pub(super) fn falls_back(&self) -> bool {
        !is_of(&self.wanted(), &self.language())
    }

    pub(super) fn safety(&self, flag: &RedFlag) -> String {
        self.plain(if flag.sign == "self_harm" { "safety.self_harm" } else { "safety.body" })
    }

    pub(super) fn canned(&self, kind: SmallTalk) -> String {
        self.plain(match kind {
            SmallTalk::Greeting => "canned.greeting",
            SmallTalk::Thanks => "canned.thanks",
            SmallTalk::Goodbye => "canned.goodbye",
        })
    }

    pub(super) fn fallback(&self, failure: &Failure, intent: Intent) -> String {
        let reason = failure.reason();
        let key = format!("{}.{}", reason.name(), intent.name());
        match failure.retry_after() {
            Some(after) if reason == Reason::Budget => {
                self.say(&key, &[("hours", after.as_secs().div_ceil(3600).max(1).to_string())])
            }
            _ => self.plain(&key),
        }
    }

    pub(super) fn notice(&self, name: &str) -> String {
        self.plain(&format!("notice.{name}"))
    }

    pub(super) fn consent(&self, name: &str) -> String {
        self.plain(&format!("consent.{name}"))
    }

    pub(super) fn error(&self, code: Code) -> String {
        self.plain(&format!("error.{}", code.name()))
    }

    /// Says how long to wait, in whole seconds, rounded up.
    pub(super) fn wait(&self, retry_after: Duration) -> String {
        let seconds = retry_after.as_millis().div_ceil(1000).max(1);
        self.say("error.rate_limited", &[("seconds", seconds.to_string())])
    }

    pub(super) fn too_long(&self, limit: usize) -> String {
        self.say("error.too_long", &[("limit", limit.to_string())])
    }

    fn plain(&self, key: &str) -> String {
        self.say(key, &[])
    }

    fn say(&self, key: &str, arguments: &[(&str, String)]) -> String {
        self.texts.text(key, &self.wanted(), arguments).text
    }
}
