//! Secrets that clients hold: made at random, kept as a hash.

use std::fmt;

use uuid::Uuid;

use crate::{hash::sha256, storage::SecretHash};

/// A secret of 244 random bits behind a word that tells what it is for. It is shown once, to its holder.
pub(super) struct Secret(String);

impl Secret {
    /// Makes one that begins with `prefix`.
    pub(super) fn random(prefix: &str) -> Self {
        Self(format!("{prefix}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// Returns it in clear.
    pub(super) fn reveal(self) -> String {
        self.0
    }

    /// Returns the form in which it is stored.
    pub(super) fn hash(&self) -> SecretHash {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns the form in which a secret is stored. It needs no salt and no slowness: it was never chosen by people.
pub(super) fn hash(secret: &str) -> SecretHash {
    SecretHash(sha256(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_told_apart_shown_nowhere_and_found_by_its_hash_f143() {
        let (one, other) = (Secret::random("rt_"), Secret::random("rt_"));

        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}"), "Secret");
        let known = one.hash();
        let shown = one.reveal();
        assert_eq!((hash(&shown), shown.len()), (known, 3 + 64));
        assert_eq!(hash("abc").0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
