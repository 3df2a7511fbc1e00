//! One-time passwords by time (RFC 6238): HMAC-SHA-1, six digits, a new one every 30 s. That is what the programs on
//! people's phones know. Pure: time comes in.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use uuid::Uuid;

/// How long a password is shown, in seconds.
const PERIOD: i64 = 30;

/// Passwords before and after the present one that are taken too: clocks differ, and people type slowly.
const DRIFT: i64 = 1;

/// Number of digits.
const DIGITS: usize = 6;

/// What a password is, less than this.
const MODULUS: u32 = 1_000_000;

/// Bytes of a secret: as many as the hash has (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

/// Makes a secret, in Base32.
pub(super) fn new_secret() -> String {
    let bytes = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    BASE32_NOPAD.encode(bytes.get(..SECRET_BYTES).unwrap_or(&bytes))
}

/// Returns the number of the password that this code is around `now`; `None` when it is none of them.
pub(super) fn step_of(secret: &str, code: &str, now: Timestamp) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let given =
        code.parse().ok().filter(|_| code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit()))?;
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let present = now.as_second().div_euclid(PERIOD);
    (present - DRIFT..=present + DRIFT).find(|step| password(&secret, *step) == Some(given))
}

/// Returns the address that programs on phones read, mostly as a picture.
pub(super) fn address(secret: &str, email: &str) -> String {
    let account: String = email
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!(
        "otpauth://totp/gauntlet:{account}?secret={secret}&issuer=gauntlet&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )
}

fn password(secret: &[u8], step: i64) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&u64::try_from(step).ok()?.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last()? & 0xf);
    let four: [u8; 4] = digest.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(four) & 0x7fff_ffff) % MODULUS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The secret of the examples, `12345678901234567890`.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// RFC 6238, appendix B: the last six of the eight digits.
    #[test]
    fn passwords_are_those_of_the_standard_f144() {
        let examples = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];

        for (second, code) in examples {
            assert_eq!(step_of(SECRET, code, at(second)), Some(second / 30), "{code}");
        }
    }

    #[test]
    fn what_is_no_password_is_refused_f144() {
        for code in ["", "28708", "2870820", "+28708", "abcdef", "２８７０８２", "-87082"] {
            assert_eq!(step_of(SECRET, code, at(59)), None, "{code}");
        }
        assert_eq!(step_of(SECRET, "287 082", at(59)), Some(1));
        assert_eq!(step_of("no base32!", "287082", at(59)), None);
    }

    #[test]
    fn a_new_secret_is_as_long_as_the_hash_and_stands_in_the_address_f144() {
        let secret = new_secret();

        assert_eq!(BASE32_NOPAD.decode(secret.as_bytes()).unwrap().len(), 20);
        assert_ne!(secret, new_secret());
        insta::assert_snapshot!(address("ABC", "an a@example.org"), @"otpauth://totp/gauntlet:an%20a@example.org?secret=ABC&issuer=gauntlet&algorithm=SHA1&digits=6&period=30");
    }

    proptest! {
        #[test]
        fn a_password_is_good_for_its_half_minute_and_the_ones_beside_it_f144(
            second in 60_i64..4_000_000_000,
            away in -10_i64..=10,
        ) {
            let step = second / 30;
            let code = format!("{:06}", password(b"12345678901234567890", step).unwrap());
            let seen = step_of(SECRET, &code, at((step + away) * 30 + 7));

            if away.abs() <= 1 {
                prop_assert!(seen.is_some());
            } else {
                // Six digits may be those of another password by chance.
                prop_assert_ne!(seen, Some(step));
            }
        }
    }
}
