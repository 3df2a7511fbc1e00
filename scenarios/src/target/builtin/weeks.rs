//! The finder of facts, weakened.

use std::sync::Arc;

use clock::Timestamp;
use server::extract::{FactExtractor, Found};

/// Of the number of a week the last digit is taken.
pub(super) const LAST_DIGIT: &str = "last-digit-of-the-week";

/// Nobody is ever born.
pub(super) const BIRTH_UNHEARD: &str = "birth-unheard";

/// Returns the finder of facts, weakened if the part is its.
pub(super) fn extractor(part: Option<&str>, sound: Arc<dyn FactExtractor>) -> Arc<dyn FactExtractor> {
    match part {
        Some(LAST_DIGIT) => Arc::new(LastDigit(sound)),
        Some(BIRTH_UNHEARD) => Arc::new(BirthUnheard(sound)),
        _ => sound,
    }
}

/// Finds "2 weeks" in "22 weeks".
#[derive(Debug)]
struct LastDigit(Arc<dyn FactExtractor>);

impl FactExtractor for LastDigit {
    fn extract(&self, message: &str, at: Timestamp) -> Vec<Found> {
        let short = |found: Found| match (found.key, found.value.chars().last()) {
            ("pregnancy_week", Some(digit)) => Found { value: digit.to_string(), ..found },
            _ => found,
        };
        self.0.extract(message, at).into_iter().map(short).collect()
    }
}

/// Finds everything but a birth.
#[derive(Debug)]
struct BirthUnheard(Arc<dyn FactExtractor>);

impl FactExtractor for BirthUnheard {
    fn extract(&self, message: &str, at: Timestamp) -> Vec<Found> {
        self.0.extract(message, at).into_iter().filter(|found| found.key != "postpartum").collect()
    }
}
