//! What is read out of a message: signs of an emergency, what it is about, what must not leave the house, and what it
//! says of its user.
//!
//! The floor of all that compares words is the same text in lower case, for without that no word can be compared. The
//! floor of masking is a copy of the text, for its result is a text of its own.

use std::hint::black_box;

use criterion::Criterion;
use jiff::Timestamp;
use server::{
    classify::{SymptomWords, classify},
    extract::{FactExtractor as _, PatternExtractor},
    mask::mask,
    safety::{KeywordRedFlags, RedFlags},
};

use crate::beside::Theme;

const QUESTION: &str = "Is it safe to eat soft cheese in week 22, or should I wait?";
const PREGUNTA: &str = "¿Puedo comer queso blando en la semana 22, o es mejor esperar?";

/// 200 bytes of which nothing is hidden, although numbers are in it.
const NOTHING_PRIVATE: &str = "In week 22 my blood pressure was 120/80, then 135/90 after a walk of 40 minutes. \
    I take 600 mg of calcium and 0.4 mg of folic acid at 9:30, and the next scan is on 2027-03-14. Is that all fine?..";

/// 200 bytes with an address of a mail and a phone number.
const PRIVATE: &str = "Please write to ann.lee@mail.example.com or call (415) 555-0100 when the results are there. \
    In week 22 my blood pressure was 120/80, and then 135/90 after a walk of 40 minutes. Is that all fine so far?....";

pub(crate) fn bench(c: &mut Criterion) {
    red_flags(c);
    classifier(c);
    masking(c);
    extraction(c);
}

fn messages() -> [(&'static str, String); 3] {
    // The longest message that is taken, of words that are in many lists: it is checked before anything else, so
    // whoever is flooded pays it for every message.
    let long = "the baby is not cold and pain no more severe belly head ".repeat(72)[..4000].to_owned();
    [
        ("one question", QUESTION.to_owned()),
        ("one in Spanish", PREGUNTA.to_owned()),
        ("4,000 characters", long),
    ]
}

fn red_flags(c: &mut Criterion) {
    let flags = KeywordRedFlags::new();
    let mut theme = Theme::new(c, "red flags");
    for (what, text) in &messages() {
        theme.bytes(text.len());
        theme.ours(what, || flags.find(black_box(text)));
        theme.floor(what, "in lower case", || black_box(text).to_lowercase());
    }
}

fn classifier(c: &mut Criterion) {
    let (flags, own) = (KeywordRedFlags::new(), SymptomWords::default());
    let mut theme = Theme::new(c, "classifier");
    for (what, text) in &messages() {
        theme.bytes(text.len());
        theme.ours(what, || classify(black_box(text), "en", None, &own));
        theme.floor(what, "in lower case", || black_box(text).to_lowercase());
        let what = format!("{what} with red flags");
        theme.ours(&what, || {
            let flag = flags.find(black_box(text));
            classify(black_box(text), "en", flag.as_ref(), &own)
        });
        theme.floor(&what, "in lower case", || black_box(text).to_lowercase());
    }
}

fn masking(c: &mut Criterion) {
    let mut theme = Theme::new(c, "masking");
    for (what, text) in
        [("200 bytes of nothing private", NOTHING_PRIVATE), ("200 bytes, two private", PRIVATE)]
    {
        theme.bytes(text.len());
        theme.ours(what, || mask(black_box(text)));
        theme.floor(what, "a copy", || black_box(text).to_owned());
    }
}

fn extraction(c: &mut Criterion) {
    let mut theme = Theme::new(c, "extraction");
    for (what, text) in &messages() {
        theme.bytes(text.len());
        theme.ours(what, || PatternExtractor.extract(black_box(text), Timestamp::UNIX_EPOCH));
        theme.floor(what, "in lower case", || black_box(text).to_lowercase());
    }
}
