//! Calls about languages, with a limit of time.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Patient;
use crate::{
    ids::UserId,
    storage::{
        Approved, Language, LanguageChange, LanguageStore, LanguageUse, LiveText, NewPreference, NewText,
        Preference, Stored, TextPlace, TextVersion,
    },
};

#[async_trait]
impl LanguageStore for Patient {
    async fn languages(&self) -> Stored<Vec<Language>> {
        self.within(self.inner.languages()).await
    }

    async fn add_language(&self, language: Language) -> Stored<bool> {
        self.within(self.inner.add_language(language)).await
    }

    async fn change_language(&self, change: LanguageChange) -> Stored<Option<Language>> {
        self.within(self.inner.change_language(change)).await
    }

    async fn language_use(&self) -> Stored<Vec<LanguageUse>> {
        self.within(self.inner.language_use()).await
    }

    async fn prefer_language(&self, change: NewPreference) -> Stored<Option<Preference>> {
        self.within(self.inner.prefer_language(change)).await
    }

    async fn language_preferences(&self, user: UserId) -> Stored<Vec<Preference>> {
        self.within(self.inner.language_preferences(user)).await
    }

    async fn text_revision(&self) -> Stored<i64> {
        self.within(self.inner.text_revision()).await
    }

    async fn live_texts(&self) -> Stored<Vec<LiveText>> {
        self.within(self.inner.live_texts()).await
    }

    async fn text_versions(&self, place: TextPlace) -> Stored<Vec<TextVersion>> {
        self.within(self.inner.text_versions(place)).await
    }

    async fn add_text(&self, text: NewText) -> Stored<TextVersion> {
        self.within(self.inner.add_text(text)).await
    }

    async fn approve_text(
        &self,
        place: TextPlace,
        version: u32,
        by: (UserId, Timestamp),
    ) -> Stored<Approved> {
        self.within(self.inner.approve_text(place, version, by)).await
    }
}
