//! Languages as a weakened storage keeps them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use clock::Timestamp;
use server::{
    ids::UserId,
    languages::validate_language_code,
    storage::{
        Approved, Language, LanguageChange, LanguageStore, LanguageUse, LiveText, NewPreference, NewText,
        Preference, PreferenceSource, Stored, TextPlace, TextVersion, User,
    },
};

use super::{super::under::Does, Twist, WatchedStorage, handed_on};

/// What a weakened storage read first, and what it does not read again.
#[derive(Debug, Default)]
pub(super) struct FirstReading {
    languages: Option<Vec<Language>>,
    texts: Option<i64>,
    pub(super) words: Option<i64>,
    preferences: HashMap<UserId, String>,
}

/// Shared by all calls.
pub(super) type Tongues = Mutex<FirstReading>;

impl WatchedStorage {
    pub(super) fn tongues(&self) -> MutexGuard<'_, FirstReading> {
        self.tongues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a user the language of the first look, where that is the weakness.
    pub(super) fn as_first_seen(&self, user: User) -> User {
        if self.twist != Twist::PreferenceReadOnce {
            return user;
        }
        let language =
            self.tongues().preferences.entry(user.id).or_insert_with(|| user.language.clone()).clone();
        User { language, ..user }
    }
}

#[async_trait]
impl LanguageStore for WatchedStorage {
    async fn languages(&self) -> Stored<Vec<Language>> {
        let rows = handed_on!(Read, self.languages())?;
        match self.twist {
            Twist::LanguagesReadOnce => Ok(self.tongues().languages.get_or_insert(rows).clone()),
            Twist::BrokenRowEmpties if rows.iter().any(|row| validate_language_code(&row.code).is_err()) => {
                Ok(Vec::new())
            }
            _ => Ok(rows),
        }
    }

    async fn add_language(&self, language: Language) -> Stored<bool> {
        let is_new = handed_on!(Write, self.add_language(language))?;
        Ok(is_new || self.twist == Twist::LanguageAddedAgain)
    }

    async fn change_language(&self, change: LanguageChange) -> Stored<Option<Language>> {
        handed_on!(Write, self.change_language(change))
    }

    async fn language_use(&self) -> Stored<Vec<LanguageUse>> {
        handed_on!(Read, self.language_use())
    }

    async fn prefer_language(&self, change: NewPreference) -> Stored<Option<Preference>> {
        let source = match self.twist {
            Twist::FallbackBecomesPreference => PreferenceSource::User,
            _ => change.source,
        };
        handed_on!(Write, self.prefer_language(NewPreference { source, ..change }))
    }

    async fn language_preferences(&self, user: UserId) -> Stored<Vec<Preference>> {
        handed_on!(Read, self.language_preferences(user))
    }

    async fn text_revision(&self) -> Stored<i64> {
        let revision = handed_on!(Read, self.text_revision())?;
        match self.twist {
            Twist::LanguagesReadOnce => Ok(*self.tongues().texts.get_or_insert(revision)),
            _ => Ok(revision),
        }
    }

    async fn live_texts(&self) -> Stored<Vec<LiveText>> {
        handed_on!(Read, self.live_texts())
    }

    async fn text_versions(&self, place: TextPlace) -> Stored<Vec<TextVersion>> {
        handed_on!(Read, self.text_versions(place))
    }

    async fn add_text(&self, text: NewText) -> Stored<TextVersion> {
        let approvals_needed = match self.twist {
            Twist::OneApprovalIsEnough => 1,
            Twist::DraftsGoLive => 0,
            _ => text.approvals_needed,
        };
        let tokens = if self.twist == Twist::DraftsCostNothing { 0 } else { text.tokens };
        handed_on!(Write, self.add_text(NewText { approvals_needed, tokens, ..text }))
    }

    async fn approve_text(
        &self,
        place: TextPlace,
        version: u32,
        by: (UserId, Timestamp),
    ) -> Stored<Approved> {
        handed_on!(Write, self.approve_text(place, version, by))
    }
}
