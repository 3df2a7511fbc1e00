//! Consents, each with the words that were agreed to.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, Word, micros, text},
    users,
};
use crate::{
    ids::UserId,
    storage::{CONSENTS_MAX, Consent, ConsentStore, NewConsent, Purpose, StorageError, Stored},
};

impl Word for Purpose {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Terms, Self::Terms.name()),
        (Self::HealthProcessing, Self::HealthProcessing.name()),
        (Self::AiProviderTransfer, Self::AiProviderTransfer.name()),
        (Self::Analytics, Self::Analytics.name()),
    ];
}

const NEWEST: &str =
    "SELECT * FROM consents WHERE user_id = $1 AND purpose = $2 ORDER BY number DESC LIMIT 1";

#[async_trait]
impl ConsentStore for Database {
    async fn consent(&self, user: UserId, purpose: Purpose) -> Stored<Option<Consent>> {
        let query = sqlx::query(NEWEST).bind(user.to_string()).bind(purpose.word());
        query.first(self).await?.as_ref().map(consent).transpose()
    }

    async fn consents(&self, user: UserId, purpose: Purpose) -> Stored<Vec<Consent>> {
        const ALL: &str = "SELECT * FROM consents WHERE user_id = $1 AND purpose = $2 ORDER BY number";
        let query = sqlx::query(ALL).bind(user.to_string()).bind(purpose.word());
        query.all(self).await?.iter().map(consent).collect()
    }

    async fn give_consent(&self, new: NewConsent) -> Stored<Consent> {
        let mut tx = self.write().await?;
        users::hold(&mut tx, new.user).await?;
        let query = sqlx::query(NEWEST).bind(new.user.to_string()).bind(new.purpose.word());
        let newest = query.fetch_optional(&mut *tx).await?;
        let number = newest.as_ref().map_or(Ok(0), |row| Columns::new("consents", row).count("number"))?;
        if let Some(known) = newest.as_ref().map(consent).transpose()?.filter(|known| is_same(known, &new)) {
            tx.rollback().await?;
            return Ok(known);
        }
        if number >= CONSENTS_MAX {
            tx.rollback().await?;
            return Err(StorageError::TooMany { what: "consents to this purpose", most: CONSENTS_MAX });
        }
        let stored = insert(&mut tx, number + 1, new).await?;
        tx.commit().await?;
        Ok(stored)
    }

    async fn withdraw_consent(&self, user: UserId, purpose: Purpose, at: Timestamp) -> Stored<bool> {
        const WITHDRAW: &str = "UPDATE consents SET withdrawn_at = $3 \
            WHERE user_id = $1 AND purpose = $2 AND withdrawn_at IS NULL";
        let mut tx = self.write().await?;
        // Nobody agrees meanwhile to what is withdrawn here.
        users::hold(&mut tx, user).await?;
        let query = sqlx::query(WITHDRAW).bind(user.to_string()).bind(purpose.word()).bind(micros(at));
        let done = query.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }
}

/// Tells whether these words are agreed to already.
fn is_same(known: &Consent, new: &NewConsent) -> bool {
    known.withdrawn_at.is_none()
        && (known.version, &known.language, &known.text) == (new.version, &new.language, &text(&new.text))
}

async fn insert(tx: &mut Tx, number: u32, new: NewConsent) -> Stored<Consent> {
    const INSERT: &str = "INSERT INTO consents \
        (user_id, purpose, number, version, language, body, given_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *";
    let row = sqlx::query(INSERT)
        .bind(new.user.to_string())
        .bind(new.purpose.word())
        .bind(i64::from(number))
        .bind(i64::from(new.version))
        .bind(new.language)
        .bind(text(&new.text))
        .bind(micros(new.at))
        .fetch_one(&mut **tx)
        .await?;
    consent(&row)
}

fn consent(row: &AnyRow) -> Stored<Consent> {
    let row = Columns::new("consents", row);
    Ok(Consent {
        purpose: row.word("purpose")?,
        version: row.count("version")?,
        language: row.text("language")?,
        text: row.text("body")?,
        given_at: row.time("given_at")?,
        withdrawn_at: row.maybe_time("withdrawn_at")?,
    })
}
