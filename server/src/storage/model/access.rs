//! Devices and their tokens, tickets, blocks, and what administrators prove themselves with.

use jiff::Timestamp;

use super::User;
use crate::ids::{ApiKeyId, DeviceId, UserId};

/// Most devices that one user is logged in on; the next log-in logs out the one that was not seen for longest.
pub const DEVICES_MAX: u32 = 50;

/// Most tickets of one user that wait to be used.
pub const TICKETS_MAX: u32 = 20;

/// Most API keys of one user.
pub const API_KEYS_MAX: u32 = 50;

/// Most blocks that are listed.
pub const BLOCKS_MAX: u32 = 500;

/// SHA-256 of a secret that clients hold, in hexadecimal. The secret itself is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHash(pub String);

/// One log-in of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The device's id; tokens name it as `sid`.
    pub id: DeviceId,
    /// Whose it is.
    pub user: UserId,
    /// What it calls itself.
    pub name: String,
    /// When it logged in.
    pub created_at: Timestamp,
    /// When it last logged in or renewed its tokens.
    pub seen_at: Timestamp,
    /// When the last of its tokens ends.
    pub expires_at: Timestamp,
    /// When the second factor was given or last used.
    pub factor_at: Option<Timestamp>,
}

/// A log-in to be stored, with its first refresh token.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// The device.
    pub device: Device,
    /// Its refresh token.
    pub token: SecretHash,
    /// When that token ends.
    pub token_expires_at: Timestamp,
}

/// A refresh token that is used, and the one that takes its place.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// What the client sent.
    pub used: SecretHash,
    /// What it gets instead.
    pub next: SecretHash,
    /// When.
    pub at: Timestamp,
    /// When the next one ends.
    pub token_expires_at: Timestamp,
    /// When the last token of the device ends.
    pub expires_at: Timestamp,
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The next one counts now.
    Next(Box<Device>, User),
    /// It was used before: somebody has a copy. The device is logged out.
    Reused(UserId, DeviceId),
    /// It was good once.
    Expired,
    /// There is no such token (any more).
    Unknown,
}

/// How things stand with somebody who shows a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The user.
    pub user: User,
    /// The device that was asked for, unless it is logged out.
    pub device: Option<Device>,
    /// When the user's block ends, past ends included.
    pub blocked_until: Option<Timestamp>,
}

/// A pass for one socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Who may open it.
    pub user: UserId,
    /// The device of the token that the ticket was bought with; none of old tokens.
    pub device: Option<DeviceId>,
    /// When that token ends.
    pub token_expires_at: Timestamp,
}

/// A ticket to be stored.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// What its holder will show.
    pub hash: SecretHash,
    /// When it was bought.
    pub at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}

/// A user who is kept out for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Who.
    pub user: UserId,
    /// Why, in a word.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// What became of a change of role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleOutcome {
    /// The user has the role now.
    Changed(User),
    /// Nobody would be left to administrate; nothing changed.
    LastAdmin,
    /// There is no such user.
    Unknown,
}

/// A generator of one-time passwords (RFC 6238).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user: UserId,
    /// The shared secret, in Base32.
    pub secret: String,
    /// When its first password was given; without one it does not count yet.
    pub confirmed_at: Option<Timestamp>,
}

/// A one-time password that was right, to be used up.
#[derive(Clone, Copy, Debug)]
pub struct FactorUse {
    /// Whose.
    pub user: UserId,
    /// On which device.
    pub device: DeviceId,
    /// Which password: its number since 1970.
    pub step: i64,
    /// When.
    pub at: Timestamp,
}

/// A key for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// The administrator in whose name it acts.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// What it opens, such as `languages:write`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    pub expires_at: Timestamp,
}
