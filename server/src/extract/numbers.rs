//! Numbers in words, in English, Spanish and French, as far as weeks of a pregnancy go.
//!
//! Not touched: "one", "una", "une", which are articles more often than numbers.

/// Words below the tens.
const SMALL: [(&str, u32); 43] = [
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("nueve", 9),
    ("once", 11),
    ("doce", 12),
    ("trece", 13),
    ("catorce", 14),
    ("quince", 15),
    ("deux", 2),
    ("trois", 3),
    ("quatre", 4),
    ("cinq", 5),
    ("sept", 7),
    ("huit", 8),
    ("neuf", 9),
    ("onze", 11),
    ("douze", 12),
    ("treize", 13),
    ("quatorze", 14),
    ("quinze", 15),
    ("seize", 16),
];

/// Tens, which a word of one digit may follow.
const TENS: [(&str, u32); 12] = [
    ("ten", 10),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("diez", 10),
    ("veinte", 20),
    ("treinta", 30),
    ("cuarenta", 40),
    ("dix", 10),
    ("vingt", 20),
    ("trente", 30),
    ("quarante", 40),
];

/// Spanish words for tens and ones together begin with these.
const JOINED: [(&str, u32); 2] = [("dieci", 10), ("veinti", 20)];

/// Returns a text of folded words, parted by spaces, with numbers in digits.
pub(super) fn in_digits(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        if let Some((number, length)) = number(&words[at..]) {
            out.push(number.to_string());
            at += length;
        } else {
            out.push(words[at].to_owned());
            at += 1;
        }
    }
    out.join(" ")
}

/// Returns the number that the words begin with, and how many words it takes.
fn number(words: &[&str]) -> Option<(u32, usize)> {
    let first = words.first()?;
    if let Some(ten) = listed(&TENS, first) {
        let linked = usize::from(words.get(1).is_some_and(|word| ["y", "et", "and"].contains(word)));
        let ones = words.get(1 + linked).and_then(|word| digit(word));
        return Some(ones.map_or((ten, 1), |ones| (ten + ones, 2 + linked)));
    }
    let joined = JOINED.iter().find_map(|(tens, ten)| {
        let ones = first.strip_prefix(tens)?;
        digit(ones).map(|ones| ten + ones)
    });
    joined.or_else(|| listed(&SMALL, first)).map(|number| (number, 1))
}

fn digit(word: &str) -> Option<u32> {
    match word {
        "one" | "uno" | "una" | "un" | "une" => Some(1),
        other => listed(&SMALL, other).filter(|number| *number < 10),
    }
}

fn listed(list: &[(&str, u32)], word: &str) -> Option<u32> {
    list.iter().find(|(known, _)| *known == word).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_words_become_digits_f43() {
        for (words, digits) in [
            ("twenty two weeks", "22 weeks"),
            ("i am thirty one weeks", "i am 31 weeks"),
            ("twelve weeks", "12 weeks"),
            ("veintidos semanas", "22 semanas"),
            ("treinta y ocho semanas", "38 semanas"),
            ("dieciseis semanas", "16 semanas"),
            ("vingt deux semaines", "22 semaines"),
            ("vingt et une semaines", "21 semaines"),
            ("dix sept semaines", "17 semaines"),
            ("quarante semaines", "40 semaines"),
            ("une semaine", "une semaine"),
            ("no one knows", "no one knows"),
        ] {
            assert_eq!(in_digits(words), digits);
        }
    }

    proptest! {
        #[test]
        fn what_holds_no_number_stays_as_it_is(text in "[g-m ]{0,40}") {
            prop_assert_eq!(in_digits(&text), text);
        }
    }
}
