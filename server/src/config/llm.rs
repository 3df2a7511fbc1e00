//! Section `[llm]`: the model and how long it may take (F11 to F25, REFERENCE §2.2).

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{secret::hidden, span};

/// Which end of a stream counts as a whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEnd {
    /// Only one that came with a finish reason.
    FinishReason,
    /// Any orderly end with some text: for upstreams that never send a finish reason.
    AnyEof,
}

/// The upstream model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// Where `/chat/completions` hangs below.
    pub base_url: String,
    /// Sent as bearer token.
    #[serde(serialize_with = "hidden")]
    pub api_key: SecretString,
    /// Model name; DeepSeek retires names, so it is a setting.
    pub model: String,
    /// The model that answers before the first word when the main one fails, marked as degraded; empty for none. Signs
    /// and symptoms do not wait for it.
    pub cheaper_model: String,
    /// Sampling temperature, 0 to 2.
    pub temperature: f64,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// Whole turn, queueing and retry included.
    #[serde(with = "span")]
    pub total: Duration,
    /// Until the connection stands.
    #[serde(with = "span")]
    pub connect: Duration,
    /// Until the first visible token; keep-alives are not tokens.
    #[serde(with = "span")]
    pub first_token: Duration,
    /// Between two tokens.
    #[serde(with = "span")]
    pub gap: Duration,
    /// Kept free at the end of `total` for the fallback.
    #[serde(with = "span")]
    pub reserve: Duration,
    /// A retry needs at least so much of `total`.
    #[serde(with = "span")]
    pub retry_floor: Duration,
    /// Retries before the first token, per turn.
    pub retries: u32,
    /// Share of turns that may be retried, 0 to 1 (F25), beside a floor of one a second.
    pub retry_budget: f64,
    /// Bad chunks that one stream may hold before it is a failure.
    pub malformed_chunks: u32,
    /// Longest line of a stream, in bytes.
    pub line_bytes: usize,
    /// Letters of East Asian scripts in a row that an answer may hold where the conversation holds none.
    pub foreign_letters: usize,
    /// Which end of a stream counts as a whole answer.
    pub stream_end: StreamEnd,
    /// Whether personal data is masked in all that the model is sent; only a model of your own may be told everything.
    pub mask: bool,
    /// Requests that each model is asked at once by this process. Providers refuse more than an account may have.
    pub concurrency: usize,
    /// How long a turn waits for a place among them, within `total`, before it is told that too many ask.
    #[serde(with = "span")]
    pub concurrency_wait: Duration,
    /// Keys the hash by which the provider tells users apart without knowing them, at least 16 bytes; with another key they
    /// are other users to it. Empty: it is told nothing of who asks.
    #[serde(serialize_with = "hidden")]
    pub user_id_key: SecretString,
    /// When the model is left alone.
    pub breaker: Breaker,
}

/// When the circuit opens and closes (F17).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// Consecutive failures that open it.
    pub failures: u32,
    /// How long it stays open before one probe.
    #[serde(with = "span")]
    pub cooldown: Duration,
    /// How long a 429 without `Retry-After` keeps the route closed to traffic.
    #[serde(with = "span")]
    pub rate_limit_cooldown: Duration,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, cooldown: Duration::from_mins(5), rate_limit_cooldown: Duration::from_secs(10) }
    }
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            base_url: "https://api.deepseek.com".to_owned(),
            api_key: SecretString::default(),
            model: "deepseek-flash".to_owned(),
            cheaper_model: String::new(),
            temperature: 0.7,
            max_tokens: 1000,
            total: Duration::from_secs(30),
            connect: Duration::from_secs(3),
            first_token: Duration::from_secs(8),
            gap: Duration::from_secs(10),
            reserve: Duration::from_millis(500),
            retry_floor: Duration::from_secs(3),
            retries: 1,
            retry_budget: 0.2,
            malformed_chunks: 3,
            line_bytes: 1024 * 1024,
            foreign_letters: 12,
            stream_end: StreamEnd::FinishReason,
            mask: true,
            concurrency: 500,
            concurrency_wait: Duration::from_secs(5),
            user_id_key: SecretString::default(),
            breaker: Breaker::default(),
        }
    }
}
