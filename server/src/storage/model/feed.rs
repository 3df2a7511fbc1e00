//! Calendar feeds: an address that is known to its user's programs and to nobody else.

use jiff::Timestamp;

use crate::ids::UserId;

/// A feed to be opened; it takes the place of an earlier one.
#[derive(Clone, Debug)]
pub struct NewFeed {
    /// Whose.
    pub user: UserId,
    /// Hash of the secret part of its address.
    pub secret_hash: String,
    /// When.
    pub at: Timestamp,
}
