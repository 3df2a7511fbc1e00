//! Users and languages.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::UserId;

/// A registered person, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Normalised (trimmed, lower-case) e-mail address, unique.
    pub email: String,
    /// What the user wants to be called; empty when not given.
    pub display_name: String,
    /// The preferred language, an enabled code or not: it is resolved at use.
    pub language: String,
    /// Whether the user may administrate.
    pub is_admin: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The user as it will be stored.
    pub user: User,
    /// argon2id hash in PHC form.
    pub password_hash: String,
}

/// A user with what proves who it is.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// argon2id hash in PHC form.
    pub password_hash: String,
}

/// A language of the user-facing texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Language {
    /// ISO 639-1 code, two lower-case letters.
    pub code: String,
    /// English name.
    pub name: String,
    /// Its own name.
    pub native_name: String,
    /// Whether users may get it.
    pub is_enabled: bool,
    /// Whether its texts may be incomplete.
    pub is_experimental: bool,
}
