//! What is in force, and what is said when something is not.

use super::*;
use crate::storage::Language;

fn row(code: &str, is_enabled: bool) -> Language {
    let (name, native_name) = (code.to_owned(), code.to_owned());
    Language { code: code.to_owned(), name, native_name, is_enabled, is_experimental: true }
}

fn with(rows: &[Language]) -> Languages {
    let languages = Languages::built_in();
    languages.put(Set::from_rows(rows.to_vec()).unwrap());
    languages
}

fn greeting(languages: &Languages, tag: &str) -> Text {
    languages.text("canned.greeting", tag, &[])
}

#[test]
fn a_language_is_spoken_while_it_is_enabled_f55() {
    let languages = with(&[]);
    let before = greeting(&languages, "fr-CA");

    languages.put(Set::from_rows([row("fr", true)]).unwrap());
    let enabled = greeting(&languages, "fr-CA");
    languages.put(Set::from_rows([row("fr", false)]).unwrap());
    let disabled = greeting(&languages, "fr-CA");

    assert!(before.fell_back && before.language == "en");
    assert!(!enabled.fell_back && enabled.language == "fr" && enabled.text.starts_with("Bonjour"));
    assert_eq!(disabled, before);
}

#[test]
fn a_language_without_texts_is_resolved_and_speaks_english_f56() {
    let languages = with(&[row("pt", true)]);

    assert_eq!(languages.resolve("pt-BR"), "pt");
    assert_eq!(greeting(&languages, "pt-BR"), Text { fell_back: true, ..greeting(&languages, "en") });
    assert_eq!(languages.missing("pt").len(), languages.missing("xx").len());
    assert!(languages.missing("fr").is_empty());
}

#[test]
fn a_reading_that_failed_leaves_the_last_good_set_f54() {
    let languages = with(&[row("fr", true)]);

    languages.keep("row is broken".to_owned());

    assert_eq!(languages.resolve("fr"), "fr");
    assert_eq!(languages.problem().as_deref(), Some("row is broken"));
    languages.put(Set::built_in());
    assert_eq!(languages.problem(), None);
}

fn live(language: &str, key: &str, body: &str) -> LiveText {
    let place = crate::storage::TextPlace { language: language.to_owned(), key: key.to_owned() };
    LiveText { place, body: body.to_owned() }
}

#[test]
fn the_database_comes_before_the_file_and_its_english_before_the_file_of_english_f60() {
    let languages = with(&[row("fr", true), row("pt", true)]);
    let greeting = "canned.greeting";

    languages.put_texts(
        1,
        &[
            live("fr", greeting, "Coucou !"),
            live("en", greeting, "Hey!"),
            live("en", "canned.thanks", "Sure."),
        ],
    );

    let shown = |key: &str, tag| languages.text(key, tag, &[]).text;
    assert_eq!(shown(greeting, "fr"), "Coucou !");
    assert_eq!(shown(greeting, "pt"), "Hey!");
    assert_eq!(shown("canned.thanks", "pt"), "Sure.");
    assert!(shown("canned.thanks", "fr").starts_with("Avec plaisir"));
    assert_eq!(languages.origin("fr", greeting), Origin::Database);
    assert_eq!(languages.origin("fr", "canned.thanks"), Origin::File);
    assert_eq!(languages.origin("pt", greeting), Origin::English);
    languages.put_texts(2, &[]);
    assert!(shown(greeting, "fr").starts_with("Bonjour"));
}

#[test]
fn a_text_that_no_route_would_take_leaves_the_file_in_its_place_f132() {
    let languages = with(&[row("fr", true)]);
    let wait = [("seconds", "7".to_owned())];
    let before = languages.text("error.rate_limited", "fr", &wait);

    for broken in ["{ $name }", "{ $seconds", "", "Attendez."] {
        languages.put_texts(1, &[live("fr", "error.rate_limited", broken), live("fr", "no.key", "x")]);

        assert_eq!(languages.text("error.rate_limited", "fr", &wait), before, "{broken}");
    }
    assert!(before.text.contains('7'));
}

#[test]
fn a_key_that_every_source_lacks_is_a_sentence_all_the_same_f132() {
    let languages = with(&[row("fr", true)]);

    let shown = languages.text("timeout.new_key", "fr", &[]);

    assert!(shown.fell_back && shown.text.contains(' ') && !shown.text.contains("new_key"));
}

#[test]
fn a_preview_is_what_users_would_read_f61() {
    let languages = Languages::built_in();

    let shown = languages.preview("error.rate_limited", "Attendez { $seconds } s.", "7");

    assert_eq!(shown.as_deref(), Some("Attendez 7 s."));
    assert!(languages.check("error.rate_limited", "Attendez.").unwrap().is_err());
    assert_eq!(languages.check("no.key", "x"), None);
}
