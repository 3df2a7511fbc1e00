//! User-facing texts by key and language.
//!
//! [`FluentTexts`] reads Fluent files. A key is `message.attribute`, such as `timeout.symptom_report`.
//! What is missing in a language is taken from English, and what is missing there too from a few
//! sentences that are compiled in ([`last_resort`]).
//!
//! Invariant: whatever is missing, the user gets a sentence: never a key, never nothing.

pub mod check;
mod fluent;
pub mod last_resort;
pub mod lookup;
mod mark;
pub mod shape;

use std::sync::Arc;

pub(crate) use fluent::count;
pub use fluent::{BrokenText, FluentTexts, SOURCES, Source};
pub use mark::Mark;

/// Texts that many parts share.
pub type SharedTexts = Arc<dyn Texts>;

/// A text ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Never empty, never a key's name.
    pub text: String,
    /// The language it really is in.
    pub language: String,
    /// Whether another language was asked for.
    pub fell_back: bool,
}

/// Finds user-facing texts.
pub trait Texts: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the text of `key` in `language`, or the nearest there is: every step away from
    /// what was asked is counted.
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text;

    /// Resolves a wanted language tag (RFC 4647 lookup) to one that texts exist for.
    fn resolve(&self, tag: &str) -> String;
}
