//! Who agreed to what.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Consent, NewConsent, Purpose, Stored};
use crate::ids::UserId;

/// The part of [`Storage`](super::Storage) that keeps consents. The same promises hold.
#[async_trait]
pub trait ConsentStore: Send + Sync {
    /// Returns what a user last agreed to for this purpose, withdrawn or not.
    async fn consent(&self, user: UserId, purpose: Purpose) -> Stored<Option<Consent>>;
    /// Returns every consent of a user to this purpose, oldest first, at most [`CONSENTS_MAX`](super::CONSENTS_MAX).
    async fn consents(&self, user: UserId, purpose: Purpose) -> Stored<Vec<Consent>>;
    /// Stores a consent and returns it; one to the same words that is in force already is returned as it is. One more
    /// than [`CONSENTS_MAX`](super::CONSENTS_MAX) is [`TooMany`](super::StorageError::TooMany).
    async fn give_consent(&self, new: NewConsent) -> Stored<Consent>;
    /// Withdraws what is in force; `false` when nothing was. The proof that it was given stays.
    async fn withdraw_consent(&self, user: UserId, purpose: Purpose, at: Timestamp) -> Stored<bool>;
}
