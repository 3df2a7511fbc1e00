//! Who asks, as the provider is told it: a keyed hash, the same for all of a user's turns, and nobody without the key can
//! tell whose it is or that two providers' users are one.

use secrecy::ExposeSecret;

use crate::{config::Llm, hash::hmac_sha256, ids::UserId};

/// Returns the name of a user at the provider: 64 hexadecimal digits; `None` where the provider is told none.
pub fn pseudonym(settings: &Llm, user: UserId) -> Option<String> {
    let key = settings.user_id_key.expose_secret();
    (!key.is_empty()).then(|| hmac_sha256(key.as_bytes(), user.0.as_bytes())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(key: &str) -> Llm {
        Llm { user_id_key: key.into(), ..Llm::default() }
    }

    #[test]
    fn a_user_has_one_name_under_a_key_and_others_have_others_f110() {
        let (ana, eve) = (UserId::random(), UserId::random());
        let (settings, other) = (keyed("0123456789abcdef"), keyed("fedcba9876543210"));
        let name = pseudonym(&settings, ana).unwrap();

        assert_eq!(pseudonym(&settings, ana).as_ref(), Some(&name));
        assert_ne!(pseudonym(&settings, eve).as_ref(), Some(&name));
        assert_ne!(pseudonym(&other, ana).as_ref(), Some(&name));
        assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert_eq!(pseudonym(&Llm::default(), ana), None);
    }
}
