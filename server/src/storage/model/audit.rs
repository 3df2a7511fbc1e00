//! Rows of the audit log.

use jiff::Timestamp;

use crate::ids::UserId;

/// Most rows of one page.
pub const AUDIT_PAGE_MAX: u32 = 200;

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who has not proved who it is.
    Nobody,
    /// A user.
    User(UserId),
    /// An administrator, in that role.
    Admin(UserId),
    /// A program with an API key of this administrator.
    ApiKey(UserId),
    /// The server itself.
    Server,
    /// A standing wish of a user, by which something is made unasked.
    Policy,
    /// Whoever works at the server's command line.
    Operator,
}

/// One thing that was done, or tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// Whose data or account, if somebody's.
    pub subject: Option<UserId>,
    /// What: a word, or method and route.
    pub action: String,
    /// On what: a path without its query, an id, or nothing.
    pub target: String,
    /// How it ended: `ok`, a status, or a word.
    pub outcome: String,
    /// From which network address; empty when it came from none.
    pub address: String,
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place, from 1, without gaps.
    pub position: u64,
    /// What it says.
    pub entry: AuditEntry,
}
