//! Parity of the languages, and what is shown when something is missing.

use std::collections::BTreeSet;

use super::*;
use crate::{classify::Intent, llm::Reason};

/// Every key of a source.
fn keys(source: &str) -> BTreeSet<String> {
    let mut message = "";
    let mut keys = BTreeSet::new();
    for line in source.lines() {
        let Some((name, _)) = line.split_once('=') else { continue };
        match name.trim_end().strip_prefix("    .") {
            Some(attribute) => keys.insert(format!("{message}.{attribute}")),
            None if !name.starts_with([' ', '#']) => {
                message = name.trim();
                false
            }
            None => false,
        };
    }
    keys
}

/// The source without one key.
fn without(source: &str, key: &str) -> String {
    let (message, attribute) = key.split_once('.').unwrap();
    let (mut inside, mut kept) = ("", Vec::new());
    for line in source.lines() {
        if !line.starts_with([' ', '#']) && line.contains('=') {
            inside = line.split('=').next().unwrap_or_default().trim();
        }
        if inside != message || !line.starts_with(&format!("    .{attribute} =")) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

const ARGUMENTS: [&str; 9] = ["seconds", "limit", "said", "hours", "when", "day", "month", "time", "year"];

fn show(texts: &FluentTexts, key: &str, language: &str) -> Text {
    texts.text(key, language, &ARGUMENTS.map(|name| (name, "7".to_owned())))
}

/// The source of the language of last resort, and of another one.
fn english_and(language: &str) -> (&'static str, &'static str) {
    let source = |code| SOURCES.iter().find(|source| source.language == code).unwrap().text;
    (source("en"), source(language))
}

#[test]
fn the_built_in_sources_have_no_error_and_the_same_keys_f16() {
    FluentTexts::from_sources(SOURCES.map(|source| (source.language, source.text))).unwrap();

    for source in SOURCES {
        assert_eq!(keys(source.text), keys(SOURCES[0].text), "{}", source.language);
        assert!(keys(source.text).len() > 40);
    }
}

#[test]
fn every_key_has_its_own_text_in_every_language_f16() {
    let texts = FluentTexts::built_in();
    for key in keys(SOURCES[0].text) {
        let shown = SOURCES.map(|source| show(&texts, &key, source.language));

        assert!(shown.iter().all(|text| !text.fell_back), "{key}");
        let different: BTreeSet<_> = shown.iter().map(|text| &text.text).collect();
        assert_eq!(different.len(), SOURCES.len(), "{key}");
    }
}

#[test]
fn a_reviewed_text_names_who_read_it_and_when_f59() {
    for Source { language, mark, .. } in SOURCES {
        let Mark::Reviewed { by, on } = mark else { continue };

        assert!(by.trim().len() > 2 && on.parse::<jiff::civil::Date>().is_ok(), "{language}: {by}, {on}");
    }
}

#[test]
fn every_reason_and_intent_has_a_text() {
    let texts = FluentTexts::built_in();
    for reason in Reason::ALL {
        for intent in Intent::ALL {
            let key = format!("{}.{}", reason.name(), intent.name());
            for source in SOURCES {
                assert!(!show(&texts, &key, source.language).fell_back, "{key} in {}", source.language);
            }
        }
    }
}

#[test]
fn a_key_missing_in_one_language_is_shown_in_english_f132() {
    for language in ["es", "fr"] {
        let (en, own) = english_and(language);
        for key in keys(own) {
            let torn = without(own, &key);
            let texts = FluentTexts::from_sources([("en", en), (language, &torn)]).unwrap();

            let shown = show(&texts, &key, language);

            assert_eq!(shown, Text { fell_back: true, ..show(&texts, &key, "en") }, "{key}");
        }
    }
}

#[test]
fn a_key_missing_everywhere_is_a_sentence_all_the_same_f132() {
    let texts = FluentTexts::from_sources([("en", ""), ("es", "")]).unwrap();
    for key in keys(SOURCES[0].text) {
        let text = show(&texts, &key, "es").text;

        assert!(text.contains(' ') && !text.contains(&key), "{key}: {text}");
    }
}

#[test]
fn a_missing_variable_never_shows() {
    let texts = FluentTexts::built_in();

    let shown = texts.text("error.rate_limited", "es", &[]);

    assert_eq!(shown.text, last_resort::sentence("error.rate_limited"));
}

#[test]
fn tags_are_looked_up_by_cutting_them() {
    let texts = FluentTexts::built_in();
    for (tag, code) in
        [("es-MX", "es"), ("ES", "es"), ("es_419", "es"), ("en-GB", "en"), ("de", "en"), ("", "en")]
    {
        assert_eq!(texts.resolve(tag), code, "{tag}");
    }
    assert!(!show(&texts, "canned.greeting", "es-MX").fell_back);
    assert!(show(&texts, "canned.greeting", "de").fell_back);
}

#[test]
fn hostile_tags_are_harmless() {
    let texts = FluentTexts::built_in();
    for tag in
        ["en'; drop table users", "../../etc/passwd", "e\u{0}s", &"es-".repeat(5000), "-", "--", "es\n"]
    {
        assert_eq!(texts.resolve(tag), "en", "{tag:.20}");
    }
}

#[test]
fn a_broken_source_is_refused_with_its_language() {
    let broken = FluentTexts::from_sources([("es", "greeting = { $name")]).unwrap_err();

    assert_eq!(broken.language, "es");
}
