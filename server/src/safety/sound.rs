//! Words as they sound, so that a word that is spelt by ear is still known.
//!
//! English, Spanish and French share the confusions: doubled letters, `b` and `v`, a silent `h`, `k` and
//! `qu`, `s` and `z`, `ai` and `e`. The result is no word of any language; it is only compared.

use std::borrow::Cow;

/// Letters that sound like another one, in the order in which they are replaced.
const ALIKE: [(&str, &str); 5] = [("y", "i"), ("eau", "o"), ("ai", "e"), ("ei", "e"), ("ph", "f")];

/// What can be told of a word at a glance: which letters are in it, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    letters: u32,
    length: usize,
}

impl Outline {
    pub(super) fn of(word: &str) -> Self {
        let letters = word.bytes().fold(0, |letters, byte| letters | 1 << (byte & 31));
        Self { letters, length: word.len() }
    }

    /// Returns whether one typing error may lie between the words: it takes one letter away and brings one, at most.
    pub(super) const fn is_near(self, other: Self) -> bool {
        self.length.abs_diff(other.length) <= 1 && (self.letters ^ other.letters).count_ones() <= 2
    }
}

/// Returns how a folded word sounds.
pub(super) fn sound(word: &str) -> String {
    let mut word = Cow::Borrowed(word);
    for (written, alike) in ALIKE {
        if word.contains(written) {
            word = Cow::Owned(word.replace(written, alike));
        }
    }
    let mut heard = String::with_capacity(word.len());
    let (mut letters, mut before) = (word.chars().peekable(), None);
    while let Some(letter) = letters.next() {
        let (last, after) = (before.replace(letter), letters.peek());
        let letter = match letter {
            'h' if !matches!(last, Some('c' | 's' | 't')) => continue,
            'u' if last == Some('q') => continue,
            'v' => 'b',
            'z' => 's',
            'q' => 'k',
            'c' if matches!(after, Some('e' | 'i')) => 's',
            'c' if after != Some(&'h') => 'k',
            'g' if matches!(after, Some('e' | 'i')) => 'j',
            other => other,
        };
        if !heard.ends_with(letter) {
            heard.push(letter);
        }
    }
    heard
}

/// Returns whether one letter is missing, added, wrong, or two neighbours are swapped. Folded words are
/// nearly always ASCII; where they are not, a letter of several bytes is several letters.
pub(super) fn is_typo(word: &str, known: &str) -> bool {
    let (a, b) = (word.as_bytes(), known.as_bytes());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (rest, wanted) = (&a[same..], &b[same..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => {
            rest.is_empty()
                || rest[1..] == wanted[1..]
                || rest.len() > 1 && rest[0] == wanted[1] && rest[1] == wanted[0] && rest[2..] == wanted[2..]
        }
        std::cmp::Ordering::Greater => rest[1..] == *wanted,
        std::cmp::Ordering::Less => *rest == wanted[1..],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_that_are_spelt_by_ear_sound_the_same() {
        for (heard, meant) in [
            ("kiero", "quiero"),
            ("desmaie", "desmaye"),
            ("vebe", "bebe"),
            ("inchada", "hinchada"),
            ("segnement", "saignement"),
            ("bouje", "bouge"),
            ("mooving", "moving"),
            ("seisure", "seizure"),
        ] {
            assert_eq!(sound(heard), sound(meant), "{heard}");
        }
    }

    #[test]
    fn words_that_only_look_alike_sound_different() {
        for (one, other) in [("pain", "pan"), ("boca", "poca"), ("chest", "cest"), ("tete", "tente")] {
            assert_ne!(sound(one), sound(other), "{one}");
        }
    }

    proptest! {
        #[test]
        fn a_sound_is_never_longer_than_its_word(word in "[a-z]{0,20}") {
            prop_assert!(sound(&word).len() <= word.len());
        }

        #[test]
        fn a_word_with_one_letter_left_out_is_a_typing_error(word in "[a-z]{2,12}", at in 0usize..12) {
            let mut shorter = word.clone();
            shorter.remove(at % word.len());

            prop_assert!(is_typo(&shorter, &word));
            prop_assert!(is_typo(&word, &shorter));
        }

        #[test]
        fn an_outline_rules_out_no_typing_error(word in "[a-zé1]{1,9}", known in "[a-zé1]{1,9}", keep in 0usize..9) {
            let keep = word.floor_char_boundary(keep.min(word.len()));
            for known in [known.clone(), format!("{}{}", &word[..keep], known), word.replace('a', "b")] {
                prop_assert!(!is_typo(&word, &known) || Outline::of(&word).is_near(Outline::of(&known)));
            }
        }
    }
}
