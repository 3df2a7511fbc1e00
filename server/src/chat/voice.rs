//! The texts of a conversation, in its user's language.

use std::time::Duration;

use crate::{
    classify::{Intent, SmallTalk},
    llm::Reason,
    safety::RedFlag,
    texts::SharedTexts,
};

use super::protocol::Code;

/// Speaks one language.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    texts: SharedTexts,
    language: String,
}

impl Voice {
    pub(super) fn new(texts: SharedTexts, language: &str) -> Self {
        let language = texts.resolve(language);
        Self { texts, language }
    }

    /// Returns the language as a resolved code.
    pub(super) fn language(&self) -> &str {
        &self.language
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

    pub(super) fn fallback(&self, reason: Reason, intent: Intent) -> String {
        self.plain(&format!("{}.{}", reason.name(), intent.name()))
    }

    pub(super) fn notice(&self, name: &str) -> String {
        self.plain(&format!("notice.{name}"))
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
        self.texts.text(key, &self.language, arguments).text
    }
}
