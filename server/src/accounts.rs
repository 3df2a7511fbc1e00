//! Accounts: who users are, and how they prove it.
//!
//! Passwords are kept as argon2id hashes; proof afterwards is a signed token. Whether a token has
//! expired is asked of the handed-in clock.
//!
//! Invariant: nothing that this module returns or logs holds a password, a hash or the signing secret; and
//! how long a log-in takes does not tell whether the address is known.

mod form;
mod password;
mod token;

use std::sync::Arc;

use axum::http::StatusCode;
use clock::SharedClock;

use crate::{
    config::Auth,
    error::ApiError,
    ids::UserId,
    storage::{NewUser, SharedStorage, StorageError, User},
};
pub use form::{Login, Registration};
use password::{HashError, Passwords};
use token::{TokenError, Tokens};

/// Registers users and checks who they are. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Accounts {
    storage: SharedStorage,
    clock: SharedClock,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
}

/// A user with a fresh token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token, good for `auth.token_life`.
    pub token: String,
    /// Whose it is.
    pub user: User,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// What was sent cannot be right.
    #[error("{0}")]
    Invalid(String),
    /// The address has an account.
    #[error("an account with this email exists; log in, or register with another one")]
    Taken,
    /// Address or password is wrong; which one is not told.
    #[error("email or password is wrong; check both and try again")]
    Refused,
    /// Nothing that proves anything was sent.
    #[error("a token is missing; send `Authorization: Bearer TOKEN` with the token of POST /api/auth/login")]
    NoToken,
    /// The token is not ours, or was altered.
    #[error("token is not valid; log in again with POST /api/auth/login")]
    BadToken,
    /// The token was good once.
    #[error("token has expired; log in again with POST /api/auth/login to get a new one")]
    ExpiredToken,
    /// Too many passwords are being checked.
    #[error("too many people are logging in right now; please try again in a moment")]
    Busy,
    /// The hash could not be made or read.
    #[error("password hashing failed: {0}")]
    Hash(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Accounts {
    /// Builds the accounts over `storage` by the settings of section `[auth]`.
    pub fn new(storage: SharedStorage, clock: SharedClock, auth: &Auth) -> Self {
        let passwords = Arc::new(Passwords::new(auth));
        Self { storage, clock, passwords, tokens: Arc::new(Tokens::new(auth)) }
    }

    /// Adds a user.
    pub async fn register(&self, form: Registration) -> Result<SignedIn, AccountError> {
        let form = form.checked().map_err(AccountError::Invalid)?;
        let password_hash = self.passwords.hash(form.password).await?;
        let user = User {
            id: UserId::random(),
            email: form.email,
            display_name: form.display_name,
            language: form.language,
            is_admin: false,
            created_at: self.clock.wall(),
        };
        let stored = self.storage.create_user(NewUser { user, password_hash }).await?;
        self.sign_in(stored.ok_or(AccountError::Taken)?)
    }

    /// Checks address and password. An unknown address costs as much time as a wrong password.
    pub async fn login(&self, form: Login) -> Result<SignedIn, AccountError> {
        let (email, password) = form.checked().map_err(AccountError::Invalid)?;
        let known = self.storage.credentials(&email).await?;
        let (user, hash) = known.map(|known| (known.user, known.password_hash)).unzip();
        let right = self.passwords.verify(password, hash).await?;
        let user = user.filter(|_| right);
        self.sign_in(user.ok_or(AccountError::Refused)?)
    }

    /// Returns whose token this is, if it is good now and the user still exists.
    pub async fn authenticate(&self, token: Option<&str>) -> Result<User, AccountError> {
        let claims = self.tokens.read(token.ok_or(AccountError::NoToken)?, self.clock.wall())?;
        let id = claims.user_id.parse().map_err(|_| AccountError::BadToken)?;
        self.storage.user(id).await?.ok_or(AccountError::BadToken)
    }

    fn sign_in(&self, user: User) -> Result<SignedIn, AccountError> {
        let token = self.tokens.issue(&user, self.clock.wall())?;
        Ok(SignedIn { token, user })
    }
}

impl From<HashError> for AccountError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Failed(cause) => Self::Hash(cause),
        }
    }
}

impl From<TokenError> for AccountError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::BadToken,
            TokenError::Expired => Self::ExpiredToken,
            TokenError::Unsigned(cause) => Self::Hash(cause),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        let (status, code) = match error {
            AccountError::Storage(error) => return error.into(),
            AccountError::Hash(cause) => {
                tracing::error!(%cause, "credentials could not be handled");
                return Self::internal();
            }
            AccountError::Invalid(_) => (StatusCode::BAD_REQUEST, "bad_request"),
            AccountError::Taken => (StatusCode::CONFLICT, "email_taken"),
            AccountError::Refused => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            AccountError::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
            AccountError::BadToken => (StatusCode::UNAUTHORIZED, "bad_token"),
            AccountError::ExpiredToken => (StatusCode::UNAUTHORIZED, "token_expired"),
            AccountError::Busy => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).after(password::BUSY_WAIT);
            }
        };
        Self::new(status, code, text)
    }
}
