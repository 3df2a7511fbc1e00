//! Why somebody was not let in, and how that is answered.

use std::time::Duration;

use axum::http::StatusCode;

use super::{
    password::{self, HashError},
    token::TokenError,
};
use crate::{
    error::{ApiError, whole_seconds},
    ids::UserId,
    storage::StorageError,
};

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
    Refused {
        /// Whose the address is.
        known: Option<UserId>,
    },
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
    /// There is no such API key (any more).
    #[error("API key is not valid; an administrator makes them with POST /api/admin/api-keys")]
    BadKey,
    /// A second factor is there already.
    #[error(
        "a second factor is set up already; whoever runs the server can remove it with `gauntlet admin remove-second-factor`"
    )]
    FactorThere,
    /// There is no second factor, and there must be one.
    #[error("a second factor is missing; set it up with POST /api/auth/second-factor")]
    NoFactor,
    /// The second factor was not given on this device, or too long ago.
    #[error("a one-time password is needed; send it with POST /api/auth/second-factor/verify")]
    FactorNeeded,
    /// It is not the one-time password of now, or was used.
    #[error("one-time password is wrong or was used; wait for the next one")]
    WrongCode,
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
            AccountError::Refused { .. } => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            AccountError::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
            AccountError::BadToken => (StatusCode::UNAUTHORIZED, "bad_token"),
            AccountError::ExpiredToken => (StatusCode::UNAUTHORIZED, "token_expired"),
            AccountError::LoggedOut => (StatusCode::UNAUTHORIZED, "logged_out"),
            AccountError::NoDevice => (StatusCode::CONFLICT, "no_device"),
            AccountError::BadRefresh => (StatusCode::UNAUTHORIZED, "bad_refresh_token"),
            AccountError::Reused { .. } => (StatusCode::UNAUTHORIZED, "refresh_token_reused"),
            AccountError::BadTicket => (StatusCode::UNAUTHORIZED, "bad_ticket"),
            AccountError::BadKey => (StatusCode::UNAUTHORIZED, "bad_api_key"),
            AccountError::FactorThere => (StatusCode::CONFLICT, "second_factor_exists"),
            AccountError::NoFactor => (StatusCode::FORBIDDEN, "second_factor_missing"),
            AccountError::FactorNeeded => (StatusCode::FORBIDDEN, "second_factor_needed"),
            AccountError::WrongCode => (StatusCode::FORBIDDEN, "wrong_code"),
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
