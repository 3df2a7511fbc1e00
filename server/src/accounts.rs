//! Accounts: who users are, and how they prove it.
//!
//! Passwords are kept as argon2id hashes; proof afterwards is a signed token. Whether a token has
//! expired is asked of the handed-in clock.
//!
//! Invariant: nothing that this module returns or logs holds a password, a hash or the signing secret; and
//! how long a log-in takes does not tell whether the address is known.

mod admin;
mod devices;
mod error;
mod form;
mod pass;
mod password;
pub(crate) mod scope;
mod secret;
mod seed;
mod token;
mod totp;

use std::{sync::Arc, time::Duration};

use clock::SharedClock;
use jiff::Timestamp;

use crate::{
    config::Auth,
    ids::{DeviceId, UserId},
    storage::{NewUser, SharedStorage, User},
};
pub use admin::OfferedFactor;
pub(crate) use admin::is_api_key;
pub use error::AccountError;
pub use form::{Login, Registration};
pub use pass::{Leave, Pass};
use password::Passwords;
pub use seed::Seeding;
use token::Tokens;

/// Registers users and checks who they are. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Accounts {
    storage: SharedStorage,
    clock: SharedClock,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    rules: Arc<Auth>,
}

/// A user with fresh tokens.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token of existing clients, good for `auth.token_life`.
    pub token: String,
    /// The tokens of those that renew them.
    pub renewed: Renewed,
    /// Whose they are.
    pub user: User,
}

/// An access token, and what brings the next one.
#[derive(Clone)]
pub struct Renewed {
    /// Opens everything, for a short time.
    pub access_token: String,
    /// For how long.
    pub access_life: Duration,
    /// Good for one use.
    pub refresh_token: String,
    /// For how long, if it is not used.
    pub refresh_life: Duration,
    /// The device that both are for.
    pub device: DeviceId,
}

impl std::fmt::Debug for Renewed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewed").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Builds the accounts over `storage` by the settings of section `[auth]`.
    pub fn new(storage: SharedStorage, clock: SharedClock, auth: &Auth) -> Self {
        let passwords = Arc::new(Passwords::new(auth));
        let (tokens, rules) = (Arc::new(Tokens::new(auth)), Arc::new(auth.clone()));
        Self { storage, clock, passwords, tokens, rules }
    }

    /// Adds a user.
    pub async fn register(&self, form: Registration) -> Result<SignedIn, AccountError> {
        let form = form.checked().map_err(AccountError::Invalid)?;
        let device = form.device.clone();
        let user = self.add_user(form, false).await?;
        self.sign_in(user, device).await
    }

    async fn add_user(&self, form: form::Accepted, is_admin: bool) -> Result<User, AccountError> {
        let password_hash = self.passwords.hash(form.password).await?;
        let user = User {
            id: UserId::random(),
            email: form.email,
            display_name: form.display_name,
            language: form.language,
            is_admin,
            created_at: self.clock.wall(),
        };
        let stored = self.storage.create_user(NewUser { user, password_hash }).await?;
        stored.ok_or(AccountError::Taken)
    }

    /// Checks address and password. An unknown address costs as much time as a wrong password.
    pub async fn login(&self, form: Login) -> Result<SignedIn, AccountError> {
        let form = form.checked().map_err(AccountError::Invalid)?;
        let known = self.storage.credentials(&form.email).await?;
        let (user, hash) = known.map(|known| (known.user, known.password_hash)).unzip();
        let right = self.passwords.verify(form.password, hash).await?;
        let known = user.as_ref().map(|user| user.id);
        let user = user.filter(|_| right);
        self.sign_in(user.ok_or(AccountError::Refused { known })?, form.device).await
    }

    /// Returns whose token this is, if it is good now, its device is logged in and the user still exists.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Pass, AccountError> {
        let claims = self.tokens.read(token.ok_or(AccountError::NoToken)?, self.clock.wall())?;
        let user = claims.user_id.parse().map_err(|_| AccountError::BadToken)?;
        let device = claims.sid.map(|device| device.parse()).transpose();
        let device = device.map_err(|_| AccountError::BadToken)?;
        let expires_at = Timestamp::from_second(claims.exp).unwrap_or(Timestamp::MAX);
        self.let_in(user, device, expires_at).await
    }
}
