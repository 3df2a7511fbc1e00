//! Hashes as text, for what is compared and not shown.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of some bytes, as 64 small hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digits = |byte: u8| [byte >> 4, byte & 0xf].map(|half| char::from_digit(u32::from(half), 16));
    Sha256::digest(bytes).iter().copied().flat_map(digits).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
