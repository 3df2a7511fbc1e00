//! Calls about consents, with a limit of time.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Patient;
use crate::{
    ids::UserId,
    storage::{Consent, ConsentStore, NewConsent, Purpose, Stored},
};

#[async_trait]
impl ConsentStore for Patient {
    async fn consent(&self, user: UserId, purpose: Purpose) -> Stored<Option<Consent>> {
        self.within(self.inner.consent(user, purpose)).await
    }

    async fn consents(&self, user: UserId, purpose: Purpose) -> Stored<Vec<Consent>> {
        self.within(self.inner.consents(user, purpose)).await
    }

    async fn give_consent(&self, new: NewConsent) -> Stored<Consent> {
        self.within(self.inner.give_consent(new)).await
    }

    async fn withdraw_consent(&self, user: UserId, purpose: Purpose, at: Timestamp) -> Stored<bool> {
        self.within(self.inner.withdraw_consent(user, purpose, at)).await
    }
}
