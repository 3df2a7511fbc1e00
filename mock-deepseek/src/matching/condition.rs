//! Conditions as they are tried for each request: only those that are given, the cheap ones first.

use std::{borrow::Cow, sync::Arc};

use regex::{RegexSet, RegexSetBuilder};

use super::{
    Count, JsonMatch, Match, MessageMatch, Pointer, REGEX_SIZE_MAX, RoleCounts,
    text::{KeyMatch, TextMatch, TextTest},
};
use crate::{
    facts::{Facts, Surface},
    request::Role,
};

/// One condition on a request.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Nth(Count),
    SocketNth(Count),
    Stream(bool),
    Surface(Surface),
    Path(Box<str>),
    Text(Source, TextTest),
    Header(Box<str>, TextTest),
    /// So many messages of a role, or of all.
    Messages(Option<Role>, Count),
    /// The last user message matches the pattern of this position of the set.
    UserPattern(Arc<RegexSet>, usize),
    /// Some message of the role passes all tests.
    AnyMessage(Option<Role>, Box<[TextTest]>),
    Json(Pointer, Box<JsonMatch>),
}

/// A text of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Model,
    UserId,
    Key,
    User,
    System,
}

impl Source {
    fn of<'a>(self, facts: &'a Facts<'_>) -> Option<&'a str> {
        match self {
            Self::Model => Some(facts.model),
            Self::UserId => facts.chat.user_id.as_deref(),
            Self::Key => Some(facts.key),
            Self::User => Some(facts.last_user_text()),
            Self::System => facts.system_text(),
        }
    }
}

impl Condition {
    /// Returns the pattern of the set that must match for it to hold, if that is all it asks.
    pub(crate) fn pattern(&self) -> Option<usize> {
        match self {
            Self::UserPattern(_, index) => Some(*index),
            _ => None,
        }
    }

    /// Says whether it holds for the nth request.
    pub(crate) fn holds(&self, nth: u64, facts: &Facts<'_>) -> bool {
        match self {
            Self::Nth(count) => count.holds(nth),
            Self::SocketNth(count) => count.holds(facts.socket_nth),
            Self::Stream(stream) => *stream == facts.chat.streams(),
            Self::Surface(surface) => *surface == facts.surface(),
            Self::Path(path) => **path == *facts.path,
            Self::Text(source, test) => test.holds(source.of(facts)),
            Self::Header(name, test) => test.holds(facts.header(name)),
            Self::Messages(role, count) => count.holds(messages(facts, *role) as u64),
            Self::UserPattern(set, index) => facts.user_patterns(set).matched(*index),
            Self::AnyMessage(role, tests) => facts.texts().iter().any(|(actual, text)| {
                role.is_none_or(|role| role == *actual) && tests.iter().all(|test| test.holds(Some(text)))
            }),
            Self::Json(pointer, wanted) => wanted.holds(facts.json().and_then(|body| pointer.find(body))),
        }
    }
}

fn messages(facts: &Facts<'_>, role: Option<Role>) -> usize {
    let messages = facts.chat.messages.iter();
    messages.filter(|message| role.is_none_or(|role| role == message.role)).count()
}

/// What all rules look for in the last user message, so that one pass over the text answers them all.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    set: Option<Arc<RegexSet>>,
    /// How many of them have been handed out.
    used: usize,
}

impl Patterns {
    /// Gathers texts and patterns of all rules, in order. A single one, or those too large together, are tried one
    /// by one.
    pub(crate) fn of<'a>(matches: impl Iterator<Item = &'a Match>) -> Self {
        let patterns: Vec<_> = matches
            .flat_map(|one| {
                let text = one.contains.as_deref().map(|text| Cow::Owned(regex::escape(text)));
                text.into_iter().chain(one.regex.as_ref().map(|pattern| Cow::Borrowed(pattern.as_str())))
            })
            .collect();
        let set = || RegexSetBuilder::new(&patterns).size_limit(REGEX_SIZE_MAX).build().ok();
        Self { set: if patterns.len() > 1 { set().map(Arc::new) } else { None }, used: 0 }
    }

    /// Returns the set, if there is one.
    pub(crate) fn set(&self) -> Option<Arc<RegexSet>> {
        self.set.clone()
    }

    /// Makes the next condition in the order in which they were gathered; `alone` tries it without the set.
    fn next(&mut self, alone: TextTest) -> Condition {
        match &self.set {
            None => Condition::Text(Source::User, alone),
            Some(set) => {
                self.used += 1;
                Condition::UserPattern(Arc::clone(set), self.used - 1)
            }
        }
    }
}

impl Match {
    /// Prepares the conditions. Rules must come in the order in which `patterns` was gathered.
    pub(crate) fn compile(self, patterns: &mut Patterns) -> Box<[Condition]> {
        let mut all = Vec::new();
        all.extend(self.nth.map(Condition::Nth));
        all.extend(self.socket_nth.map(Condition::SocketNth));
        all.extend(self.stream.map(Condition::Stream));
        all.extend(self.surface.map(Condition::Surface));
        all.extend(self.path.map(|path| Condition::Path(path.into())));
        let named = [(Source::Model, self.model), (Source::UserId, self.user_id)];
        for (source, text) in named {
            all.extend(text.into_iter().flat_map(TextMatch::tests).map(|test| Condition::Text(source, test)));
        }
        let key = self.key.into_iter().flat_map(KeyMatch::tests);
        all.extend(key.map(|test| Condition::Text(Source::Key, test)));
        for (name, text) in self.header {
            all.extend(text.tests().map(|test| Condition::Header(name.0.as_str().into(), test)));
        }
        self.messages.compile(&mut all);
        all.extend(self.equals.map(|text| Condition::Text(Source::User, TextTest::Equals(text.into()))));
        all.extend(self.contains.map(|text| patterns.next(TextTest::contains(&text))));
        all.extend(self.regex.map(|pattern| patterns.next(TextTest::Matches(pattern))));
        let system = self.system.into_iter().flat_map(TextMatch::tests);
        all.extend(system.map(|test| Condition::Text(Source::System, test)));
        all.extend(self.any_message.map(MessageMatch::compile));
        all.extend(self.json.into_iter().map(|(pointer, wanted)| Condition::Json(pointer, Box::new(wanted))));
        all.into()
    }
}

impl MessageMatch {
    fn compile(self) -> Condition {
        let tests = [
            self.equals.map(|text| TextTest::Equals(text.into())),
            self.contains.map(|text| TextTest::contains(&text)),
            self.regex.map(TextTest::Matches),
        ];
        Condition::AnyMessage(self.role, tests.into_iter().flatten().collect())
    }
}

impl RoleCounts {
    fn compile(self, all: &mut Vec<Condition>) {
        let counts = [
            (None, self.total),
            (Some(Role::System), self.system),
            (Some(Role::User), self.user),
            (Some(Role::Assistant), self.assistant),
            (Some(Role::Tool), self.tool),
        ];
        all.extend(counts.into_iter().filter_map(|(role, count)| Some(Condition::Messages(role, count?))));
    }
}
