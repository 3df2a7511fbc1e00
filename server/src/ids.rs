//! Identifiers, one type per kind of row so that they cannot be mixed up.
//!
//! Invariant: an id is a UUID; in the database and on the wire it is its hyphenated text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new random id.
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A registered person.
    UserId
);
id!(
    /// One conversation session; see [`crate::session`].
    SessionId
);
id!(
    /// One stored message, of the user or of the server.
    MessageId
);
impl MessageId {
    /// Returns the id of the message that a client of this user calls so: the same each time.
    pub fn named(user: UserId, client_id: &str) -> Self {
        Self(Uuid::new_v5(&user.0, client_id.as_bytes()))
    }

    /// Returns the id of the reply to this message: each has one at most.
    #[must_use]
    pub fn reply(self) -> Self {
        Self(Uuid::new_v5(&self.0, b"reply"))
    }
}

id!(
    /// A calendar entry that the server proposed.
    SuggestionId
);
id!(
    /// A calendar entry that the user created.
    ReminderId
);
id!(
    /// One log-in, and the refresh tokens that follow from it.
    DeviceId
);
id!(
    /// A key for programs.
    ApiKeyId
);
