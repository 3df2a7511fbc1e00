//! Facts in what users say.
//!
//! [`PatternExtractor`] finds them by patterns in English, Spanish and French. It takes what is said
//! about oneself and now; it would rather miss a fact than invent one.

mod birth;
mod numbers;
mod patterns;
mod week;

use std::sync::Arc;

use jiff::Timestamp;

pub use patterns::PatternExtractor;

/// An extractor that many parts share.
pub type SharedExtractor = Arc<dyn FactExtractor>;

/// A fact found in a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it is about.
    pub key: &'static str,
    /// The value, as text.
    pub value: String,
    /// From 0 to 1.
    pub confidence: f64,
}

/// Finds facts in what a user said.
pub trait FactExtractor: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the facts that `message`, said at `at`, states.
    fn extract(&self, message: &str, at: Timestamp) -> Vec<Found>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the value that the patterns find for a key.
    pub(super) fn found(message: &str, key: &str) -> Option<String> {
        let facts = PatternExtractor.extract(message, Timestamp::UNIX_EPOCH);
        facts.into_iter().find(|fact| fact.key == key).map(|fact| fact.value)
    }
}
