//! Finds the language that a tag asks for, by RFC 4647 (lookup).

/// Longer tags are nobody's language (RFC 5646 advises 35).
pub const TAG_BYTES_MAX: usize = 35;

/// Tells whether a text has the form of a language tag: subtags of letters and digits, joined by `-` or `_`.
pub fn is_tag(text: &str) -> bool {
    text.len() <= TAG_BYTES_MAX
        && text.split(['-', '_']).all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// Looks a tag up by cutting it from the right until `has` knows what is left; `None` when nothing fits.
/// What is asked for is in lower case with `-`; a single letter is cut off with what it introduces.
pub fn lookup(tag: &str, has: impl Fn(&str) -> bool) -> Option<String> {
    if !is_tag(tag) {
        return None;
    }
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let mut range = tag.as_str();
    loop {
        if has(range) {
            return Some(range.to_owned());
        }
        range = range.rsplit_once('-')?.0;
        if let Some((rest, single)) = range.rsplit_once('-')
            && single.len() == 1
        {
            range = rest;
        }
    }
}

/// Tells whether a tag asks for the language of this code, in whatever regional form.
pub fn is_of(tag: &str, code: &str) -> bool {
    lookup(tag, |range| range == code).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn among(tag: &str, known: &[&str]) -> Option<String> {
        lookup(tag, |range| known.contains(&range))
    }

    #[test]
    fn a_regional_tag_finds_its_language_f67() {
        for (tag, found) in [
            ("pt-BR", Some("pt")),
            ("PT_br", Some("pt")),
            ("pt-Latn-BR-x-mine", Some("pt")),
            ("pt-a", Some("pt")),
            ("de", None),
            ("p", None),
            ("ptx", None),
        ] {
            assert_eq!(among(tag, &["en", "pt"]).as_deref(), found, "{tag}");
        }
        assert_eq!(among("zh-Hant-CN-x-private1", &["zh", "zh-hant"]).as_deref(), Some("zh-hant"));
    }

    #[test]
    fn what_is_no_tag_finds_nothing_f67() {
        let long = "es-".repeat(5000);
        for text in
            ["en'; drop", "en'; drop table users", "../es", "e\u{0}s", &long, "-", "es-", "es\n", "", "ésp"]
        {
            assert_eq!(among(text, &["en", "es"]), None, "{text:.20}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_a_beginning_of_the_tag_f67(tag in ".{0,40}|[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,4}") {
            if let Some(found) = among(&tag, &["en", "es", "pt", "zh-hant"]) {
                let plain = tag.to_ascii_lowercase().replace('_', "-");
                let rest = plain.strip_prefix(found.as_str());
                prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
            }
        }
    }
}
