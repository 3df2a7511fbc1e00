//! What administrators prove beyond their password, and keys for programs that act for them.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    AccountError, Accounts, Pass, form, pass,
    secret::{self, Secret},
    totp,
};
use crate::{
    config::auth::Demand,
    ids::{ApiKeyId, UserId},
    storage::{ApiKey, FactorUse, RoleOutcome, SecondFactor, User},
};

/// What API keys begin with.
const KEY_PREFIX: &str = "gk_";

/// Characters of a key that are kept to recognise it by.
const SHOWN: usize = 11;

/// How much later an administrator must be seen for that to be noted.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// A second factor that waits for its first password.
#[derive(Clone)]
pub struct OfferedFactor {
    /// The secret, in Base32.
    pub secret: String,
    /// The same as programs on phones read it.
    pub address: String,
}

impl std::fmt::Debug for OfferedFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OfferedFactor")
    }
}

impl Accounts {
    /// Offers a second factor, in the place of one that was never confirmed.
    pub async fn offer_factor(&self, user: &User) -> Result<OfferedFactor, AccountError> {
        let secret = totp::new_secret();
        let factor = SecondFactor { user: user.id, secret: secret.clone(), confirmed_at: None };
        if !self.storage.offer_factor(factor).await? {
            return Err(AccountError::FactorThere);
        }
        Ok(OfferedFactor { address: totp::address(&secret, &user.email), secret })
    }

    /// Uses up a one-time password for the device of this pass. The first one confirms the factor.
    pub async fn give_factor(&self, pass: &Pass, code: &str) -> Result<(), AccountError> {
        let device = pass.device.as_ref().ok_or(AccountError::NoDevice)?.id;
        let (user, at) = (pass.user.id, self.clock.wall());
        let factor = self.storage.second_factor(user).await?.ok_or(AccountError::NoFactor)?;
        let step = totp::step_of(&factor.secret, code, at).ok_or(AccountError::WrongCode)?;
        let is_fresh = self.storage.use_factor(FactorUse { user, device, step, at }).await?;
        if is_fresh { Ok(()) } else { Err(AccountError::WrongCode) }
    }

    /// Checks that an administrator has given the second factor, if there is one or there must be, and was not idle
    /// since.
    pub(crate) async fn check_factor(&self, pass: &Pass) -> Result<(), AccountError> {
        let factor = self.storage.second_factor(pass.user.id).await?;
        if factor.is_none_or(|factor| factor.confirmed_at.is_none()) {
            return match self.rules.admin_second_factor {
                Demand::Optional => Ok(()),
                Demand::Required => Err(AccountError::NoFactor),
            };
        }
        let device = pass.device.as_ref().ok_or(AccountError::FactorNeeded)?;
        let now = self.clock.wall();
        let given = device.factor_at.ok_or(AccountError::FactorNeeded)?;
        let idle = Duration::try_from(now.duration_since(given)).unwrap_or_default();
        if idle >= self.rules.admin_idle {
            return Err(AccountError::FactorNeeded);
        }
        if idle >= TOUCH_EVERY {
            self.storage.touch_factor(device.id, now).await?;
        }
        Ok(())
    }

    /// Makes a key for programs; returns it in clear, once.
    pub(crate) async fn new_api_key(
        &self,
        user: UserId,
        (name, scopes): (String, Vec<String>),
        life: Duration,
    ) -> Result<(ApiKey, String), AccountError> {
        let (created_at, key) = (self.clock.wall(), Secret::random(KEY_PREFIX));
        let expires_at = created_at.checked_add(life).unwrap_or(Timestamp::MAX);
        let (hash, shown) = (key.hash(), key.reveal());
        let prefix = shown.chars().take(SHOWN).collect();
        let row = ApiKey { id: ApiKeyId::random(), user, name, prefix, scopes, created_at, expires_at };
        self.storage.add_api_key(row.clone(), hash).await?;
        Ok((row, shown))
    }

    /// Returns whose key this is, and what it opens.
    pub(crate) async fn redeem_key(&self, key: &str) -> Result<Pass, AccountError> {
        let now = self.clock.wall();
        let found = self.storage.api_key(&secret::hash(key), now).await?;
        let key = found.ok_or(AccountError::BadKey)?;
        let standing = self.storage.standing(key.user, None).await?.ok_or(AccountError::BadKey)?;
        pass::unblocked(&standing, now)?;
        Ok(Pass { user: standing.user, device: None, expires_at: key.expires_at, scopes: Some(key.scopes) })
    }

    /// Makes the user of this address an administrator; `None` when there is none.
    pub async fn promote(&self, email: &str) -> Result<Option<User>, AccountError> {
        let email = form::email(email).map_err(AccountError::Invalid)?;
        let Some(known) = self.storage.credentials(&email).await? else { return Ok(None) };
        match self.storage.set_admin(known.user.id, true).await? {
            RoleOutcome::Changed(user) => Ok(Some(user)),
            RoleOutcome::LastAdmin | RoleOutcome::Unknown => Ok(None),
        }
    }

    /// Adds an administrator.
    pub async fn create_admin(&self, email: &str, password: SecretString) -> Result<User, AccountError> {
        let form =
            form::Registration::plain(email.to_owned(), password).checked().map_err(AccountError::Invalid)?;
        self.add_user(form, true).await
    }

    /// Removes the second factor of the user of this address; `None` when there was none.
    pub async fn remove_factor(&self, email: &str) -> Result<Option<User>, AccountError> {
        let email = form::email(email).map_err(AccountError::Invalid)?;
        let Some(known) = self.storage.credentials(&email).await? else { return Ok(None) };
        Ok(self.storage.remove_factor(known.user.id).await?.then_some(known.user))
    }
}

/// Tells whether this is an API key, by its beginning.
pub(crate) fn is_api_key(token: &str) -> bool {
    token.starts_with(KEY_PREFIX)
}
