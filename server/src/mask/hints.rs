//! What a look at the bytes of a text says about what may be in it.
//!
//! Invariant: a hint is never wrong when it rules something out. Where it does not, the search may still find nothing.
//! Hints of a text hold for it after parts of it were replaced by tokens, too: no token has a digit or an `@` in it, and
//! its brackets part what was apart.

use memchr::memchr3_iter;

/// Bytes that are looked through for digits at once; in most of a text there is none.
const LANE: usize = size_of::<u128>();

/// What may be in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hints {
    /// Whether something stands for the `@` of an address.
    pub(super) at_sign: bool,
    /// Whether something looks like the number of a record.
    pub(super) record: bool,
    /// Most digits with nothing between them that no number has in it.
    pub(super) digits: usize,
}

impl Hints {
    pub(super) fn of(text: &str) -> Self {
        let at_sign = has_at_sign(text.as_bytes());
        // Digits of other scripts are digits, too; who writes them has all the searches made.
        if !text.is_ascii() && text.chars().any(|c| !c.is_ascii() && c.is_numeric()) {
            return Self { at_sign, record: true, digits: usize::MAX };
        }
        let mut hints = Self { at_sign, record: false, digits: 0 };
        let (bytes, mut run, mut last) = (text.as_bytes(), 0, 0);
        for place in digits(bytes) {
            run = if run > 0 && may_go_on(&bytes[last + 1..place]) { run + 1 } else { 1 };
            last = place;
            hints.digits = hints.digits.max(run);
            hints.record |= bytes
                .get(place + 1..place + 4)
                .is_some_and(|after| after.iter().all(|byte| is_of_record(*byte)));
        }
        hints
    }
}

/// Returns whether there is an `@`, or `(at)` or `[at]` in its place.
fn has_at_sign(bytes: &[u8]) -> bool {
    memchr3_iter(b'@', b'(', b'[', bytes).any(|place| {
        let after = bytes.get(place + 1..place + 3);
        bytes[place] == b'@' || after.is_some_and(|after| after.eq_ignore_ascii_case(b"at"))
    })
}

/// Returns the places of all digits.
fn digits(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let (lanes, rest) = bytes.as_chunks();
    let mut last = [0; LANE];
    last[..rest.len()].copy_from_slice(rest);
    let lanes = lanes.iter().copied().chain([last]);
    let marked = lanes.map(digits_of_lane).enumerate().filter(|(_, marks)| *marks != 0);
    marked.flat_map(|(number, mut marks)| {
        std::iter::from_fn(move || {
            let place = (marks != 0).then(|| number * LANE + (marks.trailing_zeros() / u8::BITS) as usize);
            marks &= marks.wrapping_sub(1);
            place
        })
    })
}

/// Returns a number in which the highest bit of each byte says whether a digit stands at its place of the lane.
const fn digits_of_lane(lane: [u8; LANE]) -> u128 {
    /// Each byte is 1.
    const ONES: u128 = u128::MAX / 0xff;
    const HIGHEST: u128 = ONES * 0x80;
    // Of a digit this leaves its value, of other bytes more than nine; what is added carries over from ten on, and never
    // into the next byte.
    let values = u128::from_le_bytes(lane) ^ (ONES * b'0' as u128);
    let carried = (values & !HIGHEST) + ONES * (0x80 - 10);
    !(carried | values) & HIGHEST
}

/// Returns whether a number may have this between two digits.
fn may_go_on(between: &[u8]) -> bool {
    /// Three separators, of which each may be a space that does not break, of two bytes.
    const BYTES_MAX: usize = 6;
    let is_separator =
        |byte: &u8| matches!(byte, b' ' | b'\t' | b'(' | b')' | b'.' | b'-' | b'/' | b'\xC2' | b'\xA0');
    between.len() <= BYTES_MAX && between.iter().all(is_separator)
}

/// Returns whether a record number may have this after its first digit. A letter outside ASCII counts, for two of them are
/// `s` and `k` to a search that ignores case.
const fn is_of_record(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || !byte.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_digit_is_found_at_its_place(bytes in proptest::collection::vec(prop_oneof![b'.'..b'@', any::<u8>()], 0..70)) {
            let found: Vec<_> = digits(&bytes).collect();

            let places: Vec<_> = (0..bytes.len()).filter(|place| bytes[*place].is_ascii_digit()).collect();
            prop_assert_eq!(found, places);
        }
    }
}
