//! What users agree to, and the proof of it.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::UserId;

/// Times that a user may agree to one purpose; after that only withdrawing is left.
pub const CONSENTS_MAX: u32 = 200;

/// What personal data is used for. Each is agreed to by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The terms of use.
    Terms,
    /// Keeping and using what is said about the user's health.
    HealthProcessing,
    /// Sending what is said to the provider of the model.
    AiProviderTransfer,
    /// Counting how the service is used.
    Analytics,
}

/// A consent to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConsent {
    /// Whose.
    pub user: UserId,
    /// To what.
    pub purpose: Purpose,
    /// Which version of what the purpose means.
    pub version: u32,
    /// The language of the words.
    pub language: String,
    /// The words that were shown.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// A consent as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// To what.
    pub purpose: Purpose,
    /// Which version of what the purpose means.
    pub version: u32,
    /// The language of the words.
    pub language: String,
    /// The words that were shown.
    pub text: String,
    /// When it was given.
    pub given_at: Timestamp,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
}
