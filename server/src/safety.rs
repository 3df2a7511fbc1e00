//! Signs of an emergency.
//!
//! [`KeywordRedFlags`] compares a message with lists of the urgent maternal warning signs in English,
//! Spanish and French, all three at once: people in need do not choose a language. It asks nothing and
//! nobody, so that it holds when everything else is down. It errs on the side of warning: what is
//! denied in the same clause ("no bleeding") is not flagged, everything else is.

#[cfg(test)]
mod corpus;
mod harmless;
mod keywords;
mod lists;
mod phrasebook;
mod sound;

use std::sync::Arc;

pub use keywords::KeywordRedFlags;

/// A detector that many parts share.
pub type SharedRedFlags = Arc<dyn RedFlags>;

/// A sign of an emergency found in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedFlag {
    /// Stable name of the sign, such as `bleeding`.
    pub sign: &'static str,
}

/// Finds signs of an emergency, in every language, before anything else is asked.
pub trait RedFlags: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the first sign in the message, or `None`.
    fn find(&self, message: &str) -> Option<RedFlag>;
}
