//! Words as they sound, so that a word that is spelt by ear is still known.
//!
//! English, Spanish and French share the confusions: doubled letters, `b` and `v`, a silent `h`, `k` and
//! `qu`, `s` and `z`, `ai` and `e`. The result is no word of any language; it is only compared.

/// Returns how a folded word sounds.
pub(super) fn sound(word: &str) -> String {
    let word = word.replace('y', "i").replace("eau", "o");
    let word = word.replace("ai", "e").replace("ei", "e").replace("ph", "f");
    let letters: Vec<char> = word.chars().collect();
    let mut heard = String::with_capacity(word.len());
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let letter = match letter {
            'h' if !matches!(before, Some('c' | 's' | 't')) => continue,
            'u' if before == Some(&'q') => continue,
            'v' => 'b',
            'z' => 's',
            'q' => 'k',
            'c' if matches!(after, Some('e' | 'i')) => 's',
            'c' if after != Some(&'h') => 'k',
            'g' if matches!(after, Some('e' | 'i')) => 'j',
            other => *other,
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
    }
}
