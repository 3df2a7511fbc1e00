//! Languages and how much they are used.
//!
//! Whether a language is enabled is BOOLEAN, so that a row may be written by hand with `true`; the driver for both
//! engines reads it as a number.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database,
    calls::Read as _,
    language_choices,
    row::{Columns, text},
    texts,
};
use crate::{
    ids::UserId,
    storage::{
        Approved, Language, LanguageChange, LanguageStore, LanguageUse, LiveText, NewPreference, NewText,
        Preference, Stored, TextPlace, TextVersion,
    },
};

/// Rows over which the messages of one language are counted: so many users at once wait for nobody.
const SLOTS: u8 = 16;

/// The columns of a language as [`language`] reads them.
macro_rules! columns {
    () => {
        "code, name, native_name, CAST(CASE WHEN is_enabled THEN 1 ELSE 0 END AS BIGINT) AS is_enabled, \
         CAST(CASE WHEN is_experimental THEN 1 ELSE 0 END AS BIGINT) AS is_experimental"
    };
}

#[async_trait]
impl LanguageStore for Database {
    async fn languages(&self) -> Stored<Vec<Language>> {
        const SELECT: &str = concat!("SELECT ", columns!(), " FROM languages");
        let rows = sqlx::query(SELECT).all(self).await?;
        let mut languages = rows.iter().map(language).collect::<Stored<Vec<_>>>()?;
        // Sorted here: the engines order texts by different rules.
        languages.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(languages)
    }

    async fn add_language(&self, new: Language) -> Stored<bool> {
        const INSERT: &str = "INSERT INTO languages (code, name, native_name, is_enabled, is_experimental) \
            VALUES ($1, $2, $3, $4 = 1, $5 = 1) ON CONFLICT (code) DO NOTHING";
        let mut tx = self.write().await?;
        let done = sqlx::query(INSERT)
            .bind(text(&new.code))
            .bind(text(&new.name))
            .bind(text(&new.native_name))
            .bind(i64::from(new.is_enabled))
            .bind(i64::from(new.is_experimental))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    async fn change_language(&self, change: LanguageChange) -> Stored<Option<Language>> {
        const UPDATE: &str = concat!(
            "UPDATE languages SET \
             is_enabled = CASE WHEN $2 = -1 THEN is_enabled ELSE $2 = 1 END, \
             is_experimental = CASE WHEN $3 = -1 THEN is_experimental ELSE $3 = 1 END \
             WHERE code = $1 RETURNING ",
            columns!()
        );
        let mut tx = self.write().await?;
        let row = sqlx::query(UPDATE)
            .bind(text(&change.code))
            .bind(change.is_enabled.map_or(-1, i64::from))
            .bind(change.is_experimental.map_or(-1, i64::from))
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        row.as_ref().map(language).transpose()
    }

    async fn language_use(&self) -> Stored<Vec<LanguageUse>> {
        // The inner grouping runs over the index alone.
        const SELECT: &str = "SELECT languages.code, COALESCE(people.users, 0) AS users, \
            CAST(COALESCE(talk.messages, 0) AS BIGINT) AS messages FROM languages \
            LEFT JOIN (SELECT LOWER(SUBSTR(language, 1, 2)) AS code, CAST(SUM(users) AS BIGINT) AS users \
                FROM (SELECT language, COUNT(*) AS users FROM users GROUP BY language) tags \
                WHERE SUBSTR(language, 3, 1) IN ('', '-', '_') GROUP BY LOWER(SUBSTR(language, 1, 2))) people \
            ON people.code = languages.code \
            LEFT JOIN (SELECT language, SUM(messages) AS messages FROM language_messages GROUP BY language) talk \
            ON talk.language = languages.code";
        let rows = sqlx::query(SELECT).all(self).await?;
        let mut counts = rows.iter().map(language_use).collect::<Stored<Vec<_>>>()?;
        counts.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(counts)
    }

    async fn prefer_language(&self, change: NewPreference) -> Stored<Option<Preference>> {
        language_choices::prefer(self, change).await
    }

    async fn language_preferences(&self, user: UserId) -> Stored<Vec<Preference>> {
        language_choices::list(self, user).await
    }

    async fn text_revision(&self) -> Stored<i64> {
        texts::revision(self).await
    }

    async fn live_texts(&self) -> Stored<Vec<LiveText>> {
        texts::live(self).await
    }

    async fn text_versions(&self, place: TextPlace) -> Stored<Vec<TextVersion>> {
        texts::versions(self, &place).await
    }

    async fn add_text(&self, new: NewText) -> Stored<TextVersion> {
        texts::add(self, new).await
    }

    async fn approve_text(
        &self,
        place: TextPlace,
        version: u32,
        by: (UserId, Timestamp),
    ) -> Stored<Approved> {
        texts::approve(self, (&place, version), by).await
    }
}

/// What a row of `language_messages` becomes that is there already when one more message is to be counted in it.
macro_rules! count_on {
    () => {
        "ON CONFLICT (language, slot) DO UPDATE SET messages = language_messages.messages + 1"
    };
}
pub(super) use count_on;

/// Returns the row in which the messages of this user are counted, among those of their language.
pub(super) fn slot(user: UserId) -> i64 {
    i64::from(user.0.as_bytes()[15] % SLOTS)
}

fn language(row: &AnyRow) -> Stored<Language> {
    let row = Columns::new("languages", row);
    Ok(Language {
        code: row.text("code")?,
        name: row.text("name")?,
        native_name: row.text("native_name")?,
        is_enabled: row.flag("is_enabled")?,
        is_experimental: row.flag("is_experimental")?,
    })
}

fn language_use(row: &AnyRow) -> Stored<LanguageUse> {
    let row = Columns::new("language_messages", row);
    let count = |name| Ok::<_, crate::storage::StorageError>(row.get::<i64>(name)?.unsigned_abs());
    Ok(LanguageUse { code: row.text("code")?, users: count("users")?, messages: count("messages")? })
}
