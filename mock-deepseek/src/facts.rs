//! What rules look at in a request.
//!
//! Invariant: whatever is dear (texts, the body as JSON, counts of roles) is made at most once for a
//! request, when the first rule asks for it, and never when none does.

use std::{borrow::Cow, cell::OnceCell};

use regex::{RegexSet, SetMatches};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{Request, Route},
    headers::Headers,
    request::{ChatRequest, Message, Role},
};

/// A valid request, as rules see it.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) chat: &'a ChatRequest,
    /// The model without the faults that may be named behind it.
    pub(crate) model: &'a str,
    /// The key without the faults that may be named behind it.
    pub(crate) key: &'a str,
    /// The path without its query.
    pub(crate) path: &'a str,
    /// Counts the requests on the connection from 1.
    pub(crate) socket_nth: u64,
    headers: &'a Headers,
    body: &'a [u8],
    user: OnceCell<Cow<'a, str>>,
    system: OnceCell<Option<Cow<'a, str>>>,
    texts: OnceCell<Vec<(Role, Cow<'a, str>)>>,
    json: OnceCell<Option<Value>>,
    patterns: OnceCell<SetMatches>,
}

/// The formats of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Chat completions.
    Chat,
    /// Text completions (fill in the middle).
    Fim,
    /// Messages in the format of Anthropic.
    Anthropic,
    /// Responses in the format of OpenAI.
    Responses,
}

impl Surface {
    fn of(path: &str) -> Self {
        match Route::of(path) {
            Some(Route::Messages) => Self::Anthropic,
            Some(Route::Responses) => Self::Responses,
            Some(Route::Completion) => Self::Fim,
            _ => Self::Chat,
        }
    }
}

impl<'a> Facts<'a> {
    pub(crate) fn new(chat: &'a ChatRequest, request: &'a Request<'_>, key: &'a str) -> Self {
        Self {
            chat,
            model: chat.base_model(),
            key: key.split('+').next().unwrap_or_default(),
            path: request.path.split('?').next().unwrap_or_default(),
            socket_nth: request.socket_nth,
            headers: request.headers,
            body: request.body,
            user: OnceCell::new(),
            system: OnceCell::new(),
            texts: OnceCell::new(),
            json: OnceCell::new(),
            patterns: OnceCell::new(),
        }
    }

    /// Returns the value of the header of this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub(crate) fn surface(&self) -> Surface {
        Surface::of(self.path)
    }

    /// Returns what the user said last; empty when they said nothing.
    pub(crate) fn last_user_text(&self) -> &str {
        self.user.get_or_init(|| self.chat.last_user_text())
    }

    /// Returns the first system message.
    pub(crate) fn system_text(&self) -> Option<&str> {
        let first = || self.chat.messages.iter().find(|message| message.role == Role::System);
        self.system.get_or_init(|| first().map(Message::text)).as_deref()
    }

    /// Returns all messages.
    pub(crate) fn texts(&self) -> &[(Role, Cow<'a, str>)] {
        let all = || self.chat.messages.iter().map(|message| (message.role, message.text())).collect();
        self.texts.get_or_init(all)
    }

    /// Returns which patterns the last user message matches. A script has one set of them.
    pub(crate) fn user_patterns(&self, set: &RegexSet) -> &SetMatches {
        self.patterns.get_or_init(|| set.matches(self.last_user_text()))
    }

    /// Returns the body as JSON.
    pub(crate) fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.body).ok()).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_belongs_to_a_surface() {
        let paths = ["/v1/chat/completions", "/beta/completions", "/anthropic/v1/messages", "/responses"];

        let surfaces = paths.map(Surface::of);

        assert_eq!(surfaces, [Surface::Chat, Surface::Fim, Surface::Anthropic, Surface::Responses]);
    }
}
