//! How well the lists do on messages that were labelled by hand: `corpus/safety.tsv`.
//!
//! Recall is the share of messages with a sign that are flagged, with whichever sign: every one shows the
//! same warning. False alarms are messages without a sign that are flagged. Both are printed for both
//! parts: `cargo test --workspace --lib safety::corpus -- --nocapture`.

use super::{KeywordRedFlags, RedFlags};

const CORPUS: &str = include_str!("../../corpus/safety.tsv");

/// How a message says it.
const CATEGORIES: [&str; 13] = [
    "plain",
    "greeting-before",
    "upper-case",
    "misspelt",
    "mixed-languages",
    "buried",
    "negated",
    "third-party",
    "food",
    "idiom",
    "past",
    "general",
    "hypothetical",
];

/// Of a hundred harmless messages of the tuned part, so many may be flagged: mostly questions about what
/// may be ("what if my waters break"), and fevers of relatives. A needless warning costs a line on a screen.
const FALSE_ALARMS_MAX_PERCENT: usize = 10;

/// A labelled message.
#[derive(Clone, Copy, Debug)]
struct Case {
    part: &'static str,
    language: &'static str,
    sign: Option<&'static str>,
    category: &'static str,
    text: &'static str,
}

impl Case {
    fn parse(line: &'static str) -> Self {
        let columns: Vec<_> = line.split('\t').collect();
        let [part, language, sign, category, text] = columns[..] else {
            panic!("five columns parted by tabs are expected in: {line}");
        };
        Self { part, language, sign: Some(sign).filter(|sign| *sign != "-"), category, text }
    }
}

fn corpus() -> Vec<Case> {
    CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Case::parse).collect()
}

/// What the lists make of one part of the corpus.
#[derive(Debug)]
struct Score {
    signs: usize,
    harmless: usize,
    missed: Vec<Case>,
    alarms: Vec<(Case, &'static str)>,
    /// Flagged, but with another sign.
    mistaken: Vec<(Case, &'static str)>,
}

impl Score {
    fn of(part: &str) -> Self {
        let flags = KeywordRedFlags::new();
        let cases: Vec<_> = corpus().into_iter().filter(|case| case.part == part).collect();
        let (mut missed, mut alarms, mut mistaken) = (Vec::new(), Vec::new(), Vec::new());
        for case in &cases {
            match (case.sign, flags.find(case.text)) {
                (Some(_), None) => missed.push(*case),
                (None, Some(flag)) => alarms.push((*case, flag.sign)),
                (Some(sign), Some(flag)) if flag.sign != sign => mistaken.push((*case, flag.sign)),
                _ => {}
            }
        }
        let signs = cases.iter().filter(|case| case.sign.is_some()).count();
        let score = Self { signs, harmless: cases.len() - signs, missed, alarms, mistaken };
        score.print(part);
        score
    }

    #[expect(clippy::print_stdout, reason = "the figures of the corpus are read in the test's output")]
    fn print(&self, part: &str) {
        let found = self.signs - self.missed.len();
        let (signs, harmless, alarms) = (self.signs, self.harmless, self.alarms.len());
        println!("{part}: recall {found} of {signs}, false alarms {alarms} of {harmless}");
    }
}

#[test]
fn every_sign_of_the_tuned_part_is_flagged_as_itself_and_few_others_f22() {
    let score = Score::of("tuned");

    assert!(score.missed.is_empty(), "missed: {:#?}", score.missed);
    assert!(score.mistaken.is_empty(), "taken for another sign: {:#?}", score.mistaken);
    let most = score.harmless * FALSE_ALARMS_MAX_PERCENT / 100;
    assert!(score.alarms.len() <= most, "more than {most} false alarms: {:#?}", score.alarms);
}

/// The lists were never changed for these messages, so this is what strangers may expect. The bounds are
/// what was reached; they keep a later change of the lists from making it worse unseen.
#[test]
fn messages_kept_aside_are_flagged_as_well_as_they_were_f22() {
    const MISSED_MAX: usize = 6;
    const ALARMS_MAX: usize = 4;

    let score = Score::of("aside");

    assert!(score.missed.len() <= MISSED_MAX, "missed: {:#?}", score.missed);
    assert!(score.alarms.len() <= ALARMS_MAX, "false alarms: {:#?}", score.alarms);
}

#[test]
fn the_corpus_is_as_large_and_as_mixed_as_it_has_to_be_f22() {
    let corpus = corpus();
    let count = |fits: &dyn Fn(&Case) -> bool| corpus.iter().filter(|case| fits(case)).count();

    assert!(corpus.len() >= 300);
    assert!(count(&|case| case.sign.is_none()) >= 150);
    assert!(count(&|case| case.part == "aside") * 3 >= corpus.len());
    for case in &corpus {
        assert!(["tuned", "aside"].contains(&case.part), "{case:?}");
        assert!(CATEGORIES.contains(&case.category), "{case:?}");
    }
    for category in CATEGORIES {
        assert!(count(&|case| case.category == category) >= 8, "{category}");
    }
    let mut texts: Vec<_> = corpus.iter().map(|case| case.text.to_lowercase()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), corpus.len(), "a message is there twice");
}

#[test]
fn every_sign_is_in_the_corpus_in_each_language_f22() {
    let corpus = corpus();
    for line in super::lists::lines() {
        for language in ["en", "es", "fr"] {
            let is_there = |case: &Case| case.sign == Some(line.sign) && case.language == language;
            assert!(corpus.iter().any(is_there), "{} in {language}", line.sign);
        }
    }
}
