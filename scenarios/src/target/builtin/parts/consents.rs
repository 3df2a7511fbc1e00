//! Consents as a weakened storage keeps them.

use async_trait::async_trait;
use clock::Timestamp;
use server::{
    ids::UserId,
    storage::{Consent, ConsentStore, NewConsent, Purpose, Stored},
};

use super::{Twist, WatchedStorage, handed_on};
use crate::target::builtin::under::Does;

/// What whoever was never asked has agreed to, as a weakened storage tells it.
fn pretended(purpose: Purpose) -> Consent {
    let (language, text) = ("en".to_owned(), "whatever it is".to_owned());
    let given_at = Timestamp::UNIX_EPOCH;
    Consent { purpose, version: purpose.version(), language, text, given_at, withdrawn_at: None }
}

#[async_trait]
impl ConsentStore for WatchedStorage {
    async fn consent(&self, user: UserId, purpose: Purpose) -> Stored<Option<Consent>> {
        let found = handed_on!(Read, self.consent(user, purpose))?;
        match self.twist {
            Twist::SilenceIsConsent => Ok(found.or_else(|| Some(pretended(purpose)))),
            Twist::OnceGivenIsGiven => Ok(found.map(|consent| Consent { withdrawn_at: None, ..consent })),
            _ => Ok(found),
        }
    }

    async fn consents(&self, user: UserId, purpose: Purpose) -> Stored<Vec<Consent>> {
        let mut all = handed_on!(Read, self.consents(user, purpose))?;
        if self.twist == Twist::ProofGoesWithConsent {
            all.retain(|consent| consent.withdrawn_at.is_none());
        }
        Ok(all)
    }

    async fn give_consent(&self, new: NewConsent) -> Stored<Consent> {
        handed_on!(Write, self.give_consent(new))
    }

    async fn withdraw_consent(&self, user: UserId, purpose: Purpose, at: Timestamp) -> Stored<bool> {
        handed_on!(Write, self.withdraw_consent(user, purpose, at))
    }
}
