//! What is judged: the built-in server, or somebody's back end behind a URL.

pub(crate) mod builtin;
mod external;

use std::path::Path;

use crate::{ParseError, Scenario, expr::Settings, library};
pub(crate) use builtin::{Weakening, check_settings, default_settings};
pub use external::{
    Auth, AuthCall, Calls, Environment, Jwt, Kind, Links, Seed, Start, TargetError, TargetFile, Via, Wanted,
};
pub(crate) use external::{Chat, Completions, Ends, Entrance, Process, Visitor, WROTE_LAST, Words};

/// What a target may be able to do beyond the chat itself.
pub(crate) const CAPABILITIES: &[&str] = &[
    "virtual-time",  // time moves only when the scenario says so
    "metrics",       // counters can be read
    "settings",      // the scenario may choose the settings
    "texts",         // the scenario may take texts away
    "facts",         // /api/users/me/facts
    "reminders",     // /api/reminders and /api/suggestions
    "calendar",      // preferences, times that are named, undo, feeds, requests that may be repeated
    "conversations", // /api/conversations
    "accounts",      // /api/auth/refresh, /api/auth/devices and /api/auth/ws-ticket
    "admins",        // users can be made administrators
    "consents",      // /api/users/me/consents
    "safety",        // red flags are answered by a frame of kind `safety`
    "chat-v1",       // the chat speaks `chat.v1` too
    "kinds",         // frames carry `kind`, `code` and `action`
    "addresses",     // the client's network address can be told apart
];

/// What an external target can do by what its file says elsewhere.
pub(crate) const IMPLIED: &[&str] = &[
    "process",       // it is started by `[start]`, and can be killed
    "completions",   // it speaks chat completions: the kind `openai`
    "redis-link",    // the line to its Redis can be cut, stalled and delayed
    "streaming",     // they are asked for as a stream
    "whole-answers", // they are asked for as one JSON object: `stream = false`
];

/// What the built-in target can always do, and others by `[start]` and `[links]` of their files.
pub(crate) const BY_ITS_FILE: &[&str] = &[
    "log",           // what it writes to its log is seen
    "database-link", // the line to its database can be cut, stalled and delayed
    "llm-link",      // and that to the model
    "database-sql",  // its database can be written to by hand; the built-in one alone
    "replicas",      // it is two servers that share a database; the built-in one alone
];

/// Metrics that a target with the capability `metrics` shows.
pub(crate) const METRICS: &[&str] = &[
    "ai_fallback_total",
    "breaker_transitions_total",
    "facts_conflicts_total",
    "i18n_fallback_total",
    "language_reloads_total",
    "malformed_total",
    "safety_total",
    "session_resets_total",
    "suggestions_total",
    "turns_running",
    "ws_rejected_total",
    "ws_unread_total",
    "ws_behind_total",
];

/// Returns the parts of the built-in server that a sabotage may replace by weaker ones.
pub(crate) fn parts() -> impl Iterator<Item = &'static str> + Clone {
    builtin::parts_by_name()
}

/// A target to run scenarios against.
#[derive(Clone, Debug)]
pub enum Target {
    /// The reference server and the mock in process, on virtual time; a fresh pair for each scenario.
    Builtin,
    /// A running back end, in real time.
    External(Box<TargetFile>),
}

impl Target {
    /// Reads a target file. Secrets that it leaves to the environment are looked up there.
    pub fn load(path: &Path, environment: Environment<'_>) -> Result<Self, TargetError> {
        external::load(path, environment).map(|file| Self::External(Box::new(file)))
    }

    /// Reads the built-in scenarios that are about such a target.
    pub fn library(&self) -> Result<Vec<Scenario>, Box<ParseError>> {
        match self {
            Self::External(file) if file.kind == Kind::OpenAi => library::completions(),
            Self::External(file) if file.start.is_some() => {
                Ok([library::library()?, library::processes()?].concat())
            }
            Self::External(_) | Self::Builtin => library::library(),
        }
    }

    /// Returns the target's name for reports.
    pub fn name(&self) -> &str {
        match self {
            Self::Builtin => "builtin",
            Self::External(file) => &file.name,
        }
    }

    /// Returns why a scenario cannot be run on this target, if it cannot.
    pub(crate) fn lacks(&self, scenario: &Scenario) -> Option<String> {
        match self {
            Self::Builtin => {
                let need = scenario.tables.needs.iter().find(|need| !self.can(need))?;
                Some(format!("target `builtin` cannot do `{need}`"))
            }
            Self::External(file) => file.lacks(scenario),
        }
    }

    /// Says whether it can do what a scenario may need.
    pub(crate) fn can(&self, need: &str) -> bool {
        match self {
            Self::Builtin => !IMPLIED.contains(&need),
            Self::External(file) => file.can(need),
        }
    }

    /// Returns the target's effective settings, before a scenario chooses its own.
    pub fn settings(&self) -> Settings {
        match self {
            Self::Builtin => builtin::laboratory_settings(),
            Self::External(file) => file.settings(),
        }
    }
}
