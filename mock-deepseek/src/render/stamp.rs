//! What differs from one reply to the next beside its text: ids and times.

use std::sync::Arc;

use crate::profile::ApiProfile;

/// The characters of a tool call's id.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How many of them follow the number of the call.
const CALL_ID_LENGTH: usize = 24;

/// Identifies one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// A bare UUID.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    /// 32 hexadecimal digits for `x-ds-trace-id`.
    pub(crate) trace: String,
    /// The `Date` header.
    pub(crate) date: Arc<str>,
    /// Varies the mock's own texts.
    pub(crate) seed: u64,
    /// The state of the API.
    pub(crate) profile: ApiProfile,
}

impl Stamp {
    /// Returns the id that errors name since autumn 2026; it is not the one of the trace.
    pub(crate) fn request_id(&self) -> Option<String> {
        let bytes = (u128::from(hash(&self.trace)) << 64 | u128::from(hash(&self.id))).to_be_bytes();
        let id = || uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
        (self.profile == ApiProfile::Current).then(id)
    }

    /// Returns the id of the tool call at `index`, as `call_00_…`; it depends on nothing but the reply's id.
    pub(crate) fn call_id(&self, index: usize) -> String {
        let mut state = hash(&self.id) ^ u64::try_from(index).unwrap_or_default();
        let letters = (0..CALL_ID_LENGTH).map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let place = usize::try_from((state >> 33) % 62).unwrap_or_default();
            char::from(ALPHABET[place])
        });
        let letters: String = letters.collect();
        format!("call_{index:02}_{letters}")
    }
}

/// Folds a text into a number; the same text gives the same number everywhere.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_reply_have_ids_of_their_own_m3() {
        let stamp = Stamp {
            id: "5f0c7a52-9d0e-4c43-8b1f-0d6a4b8e2c11".to_owned(),
            created: 0,
            trace: String::new(),
            date: "".into(),
            seed: 0,
            profile: ApiProfile::Current,
        };

        let ids: std::collections::BTreeSet<_> = (0..100).map(|index| stamp.call_id(index)).collect();

        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.starts_with("call_") && id.len() == 32), "{ids:?}");
    }
}
