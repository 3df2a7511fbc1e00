//! Accounts: who users are, and how they prove it.
//!
//! Passwords are kept as argon2id hashes; proof afterwards is a signed token. Whether a token has
//! expired is asked of the handed-in clock.
//!
//! Invariant: nothing that this module returns or logs holds a password, a hash or the signing secret; and
//! how long a log-in takes does not tell whether the address is known.

mod devices;
mod form;
mod pass;
mod password;
mod secret;
mod token;

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use clock::SharedClock;
use jiff::Timestamp;

use crate::{
    config::Auth,
    error::{ApiError, whole_seconds},
    ids::{DeviceId, UserId},
    storage::{NewUser, SharedStorage, StorageError, User},
};
pub use form::{Login, Registration};
pub use pass::{Leave, Pass};
use password::{HashError, Passwords};
use token::{TokenError, Tokens};

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
    /// The device of the token was logged out.
    #[error("this device was logged out; log in again with POST /api/auth/login")]
    LoggedOut,
    /// The token names no device.
    #[error(
        "this token is from before devices could be logged out; it ends by itself, and a new log-in can be ended"
    )]
    NoDevice,
    /// There is no such refresh token, or it has expired.
    #[error("refresh token is not valid; log in again with POST /api/auth/login")]
    BadRefresh,
    /// The refresh token was used before.
    #[error(
        "refresh token was used before, so this device was logged out; log in again with POST /api/auth/login"
    )]
    Reused {
        /// Whose it was.
        user: UserId,
    },
    /// There is no such ticket (any more).
    #[error(
        "ticket is not valid; each is good once and for a short time: get a new one with POST /api/auth/ws-ticket"
    )]
    BadTicket,
    /// The user is kept out.
    #[error("too many of your messages had to be refused; come back in {} s. In an emergency call your local emergency number now", whole_seconds(*left))]
    Blocked {
        /// For how much longer.
        left: Duration,
    },
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
        let (tokens, rules) = (Arc::new(Tokens::new(auth)), Arc::new(auth.clone()));
        Self { storage, clock, passwords, tokens, rules }
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
        self.sign_in(stored.ok_or(AccountError::Taken)?, form.device).await
    }

    /// Checks address and password. An unknown address costs as much time as a wrong password.
    pub async fn login(&self, form: Login) -> Result<SignedIn, AccountError> {
        let form = form.checked().map_err(AccountError::Invalid)?;
        let known = self.storage.credentials(&form.email).await?;
        let (user, hash) = known.map(|known| (known.user, known.password_hash)).unzip();
        let right = self.passwords.verify(form.password, hash).await?;
        let user = user.filter(|_| right);
        self.sign_in(user.ok_or(AccountError::Refused)?, form.device).await
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
            AccountError::LoggedOut => (StatusCode::UNAUTHORIZED, "logged_out"),
            AccountError::NoDevice => (StatusCode::CONFLICT, "no_device"),
            AccountError::BadRefresh => (StatusCode::UNAUTHORIZED, "bad_refresh_token"),
            AccountError::Reused { .. } => (StatusCode::UNAUTHORIZED, "refresh_token_reused"),
            AccountError::BadTicket => (StatusCode::UNAUTHORIZED, "bad_ticket"),
            AccountError::Blocked { left } => {
                return Self::new(StatusCode::TOO_MANY_REQUESTS, "blocked", text).after(left);
            }
            AccountError::Busy => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text).after(password::BUSY_WAIT);
            }
        };
        Self::new(status, code, text)
    }
}
