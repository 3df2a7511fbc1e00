//! Languages, how much each is used, who prefers which, and what is said in them.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::{Language, Stored};
use crate::ids::UserId;

/// Changes of one user's preference that are shown; of more the newest.
pub const PREFERENCES_MAX: u32 = 200;

/// Versions of one text that are shown, newest first.
pub const TEXT_VERSIONS_MAX: u32 = 100;

/// What of a language an administrator may change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LanguageChange {
    /// Which language.
    pub code: String,
    /// Whether users may get it.
    pub is_enabled: Option<bool>,
    /// Whether its texts may be incomplete.
    pub is_experimental: Option<bool>,
}

/// How much a language is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageUse {
    /// Which language.
    pub code: String,
    /// Users who prefer it, in whatever regional form.
    pub users: u64,
    /// Messages that were handled in it, of users and replies, since there are messages.
    pub messages: u64,
}

/// Who wanted a change of language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PreferenceSource {
    /// The user.
    User,
    /// An administrator.
    Admin,
    /// Nobody: the preferred language could not be had. The preference itself stays.
    Fallback,
}

/// A change of a user's language, to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPreference {
    /// Whose.
    pub user: UserId,
    /// The tag from now on.
    pub to: String,
    /// Who wanted it.
    pub source: PreferenceSource,
    /// When.
    pub at: Timestamp,
}

/// A change of a user's language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preference {
    /// The tag before.
    pub from: String,
    /// The tag afterwards.
    pub to: String,
    /// When.
    pub at: Timestamp,
    /// Who wanted it.
    pub source: PreferenceSource,
}

/// Where a version of a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextState {
    /// Not shown to anybody before it is approved.
    Waiting,
    /// Shown to users.
    Live,
    /// Was shown to users.
    Replaced,
}

/// Which text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPlace {
    /// Code of its language.
    pub language: String,
    /// Its key.
    pub key: String,
}

/// A text to be stored as the next version of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewText {
    /// Which text.
    pub place: TextPlace,
    /// The Fluent pattern; `None` gives the place back to the file.
    pub body: Option<String>,
    /// The administrator who wrote it and thereby approves of it; `None` for a draft of the model.
    pub author: Option<UserId>,
    /// What the model charged for it, in tokens.
    pub tokens: u32,
    /// How many administrators must approve before it is shown, at least 1.
    pub approvals_needed: u32,
    /// When.
    pub at: Timestamp,
}

/// One version of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextVersion {
    /// Counts from 1.
    pub version: u32,
    /// The Fluent pattern; `None` gives the place back to the file.
    pub body: Option<String>,
    /// Where it stands.
    pub state: TextState,
    /// Who wrote it; `None` for a draft of the model.
    pub author: Option<UserId>,
    /// What the model charged for it, in tokens.
    pub tokens: u32,
    /// How many administrators must approve.
    pub approvals_needed: u32,
    /// How many have.
    pub approvals: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was first shown.
    pub live_at: Option<Timestamp>,
}

/// What an approval has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approved {
    /// The text as it stands now: live, or waiting for somebody else.
    Counted(TextVersion),
    /// There is no such version.
    Unknown,
    /// It is live or was.
    Decided,
    /// This administrator has approved of it before, or wrote it.
    Before,
}

/// A text that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveText {
    /// Which text.
    pub place: TextPlace,
    /// The Fluent pattern.
    pub body: String,
}

/// The rows of languages.
#[async_trait]
pub trait LanguageStore: Send + Sync {
    /// Returns all languages, enabled or not, by code.
    async fn languages(&self) -> Stored<Vec<Language>>;
    /// Adds a language; `false` when there is one of this code (also under a race).
    async fn add_language(&self, language: Language) -> Stored<bool>;
    /// Changes a language and returns it; `None` when there is none of this code.
    async fn change_language(&self, change: LanguageChange) -> Stored<Option<Language>>;
    /// Returns how much each language of the table is used, by code. Its time does not grow with the messages.
    async fn language_use(&self) -> Stored<Vec<LanguageUse>>;

    /// Stores what a user prefers from now on, and the change in the history; `None` when it is no change, or
    /// there is no such user. A change by [`PreferenceSource::Fallback`] is only in the history, and there once
    /// as long as nothing else happens.
    async fn prefer_language(&self, change: NewPreference) -> Stored<Option<Preference>>;
    /// Returns the changes of a user's preference, oldest first; of more than [`PREFERENCES_MAX`] the newest.
    async fn language_preferences(&self, user: UserId) -> Stored<Vec<Preference>>;

    /// Returns a number that grows with every change of a text.
    async fn text_revision(&self) -> Stored<i64>;
    /// Returns every text that is in the place of one of the files.
    async fn live_texts(&self) -> Stored<Vec<LiveText>>;
    /// Returns the versions of a text, newest first, at most [`TEXT_VERSIONS_MAX`].
    async fn text_versions(&self, place: TextPlace) -> Stored<Vec<TextVersion>>;
    /// Stores the next version of a text. It is live at once when its author's approval is enough.
    async fn add_text(&self, text: NewText) -> Stored<TextVersion>;
    /// Counts the approval of one administrator; the last that is needed makes the version live.
    async fn approve_text(&self, place: TextPlace, version: u32, by: (UserId, Timestamp))
    -> Stored<Approved>;
}
