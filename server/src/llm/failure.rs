//! What can go wrong with a model, and what each failure means.
//!
//! The table of classes is written once, here: for the breaker ([`Failure::verdict`]), for the retry
//! ([`Failure::is_retriable`]) and for the text that the user gets ([`Failure::reason`]).

use std::time::Duration;

use crate::breaker::Verdict;

/// Why a model gave no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection: refused, reset, unknown name, TLS, or not in time.
    #[error("connection to the model failed: {0}")]
    Connect(String),
    /// The connection broke after it stood.
    #[error("connection to the model broke: {0}")]
    Broken(String),
    /// A status of 5xx, or one that makes no sense here.
    #[error("model answered with status {0}")]
    Status(u16),
    /// A status of 2xx with something else than an event stream.
    #[error("model answered with content type `{0}` where `text/event-stream` was expected")]
    ContentType(String),
    /// Nothing visible within the limit of the first token.
    #[error("no token came within the limit of the first token")]
    FirstToken,
    /// Nothing visible for longer than the gap.
    #[error("no token came within the limit between two tokens")]
    Gap,
    /// The turn's time was over.
    #[error("time of the turn was over")]
    Total,
    /// The turn's time was over while what the model had said was not taken.
    #[error("answer was not taken in the time of the turn; the client hardly reads")]
    Unread,
    /// The turn's time was over before the model had its share of it.
    #[error("turn had waited too long for the model to answer in time")]
    Late,
    /// The stream ended before it said that it was finished.
    #[error("stream ended without a finish reason")]
    CutShort,
    /// The stream ended in order, without any text.
    #[error("stream ended without text")]
    Empty,
    /// More chunks were bad than one stream may hold, or one line was too long.
    #[error("stream was malformed: {0}")]
    Malformed(String),
    /// The stream carried an error instead of the next chunk.
    #[error("model reported an error in its stream: {0}")]
    Reported(String),
    /// As many ask at once as the settings allow, and none of them was done in time.
    #[error("no place among the requests of `llm.concurrency` became free in time")]
    Crowded,
    /// The user's answers have cost as much as they may today.
    #[error("tokens of the day are used up")]
    Spent {
        /// Until the next day.
        retry_after: Duration,
    },
    /// The model stopped for lack of resources.
    #[error("model stopped for lack of resources")]
    Overloaded,
    /// The provider's filter stopped the answer.
    #[error("model's content filter stopped the answer")]
    ContentFilter,
    /// The provider's moderation refused the prompt, of which nothing was answered.
    #[error("model's moderation refused the prompt")]
    Moderated,
    /// A status of 4xx that says that our request is wrong.
    #[error("model refused the request with status {0}; it is our defect")]
    Request(u16),
    /// 401, 402 or 403: key or balance.
    #[error("model refused the account with status {0}; check the setting `llm.api_key` and the balance")]
    Account(u16),
    /// 429.
    #[error("model asks for fewer requests")]
    RateLimited {
        /// What it said in `Retry-After`, if anything.
        retry_after: Option<Duration>,
    },
    /// The breaker did not let the turn through.
    #[error("circuit is open")]
    CircuitOpen {
        /// Time until the next probe; `None` while one is under way.
        retry_after: Option<Duration>,
    },
}

/// Why a user gets another text than an answer; part of the text's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The model was too slow.
    Timeout,
    /// The circuit is open.
    Circuit,
    /// The model has too much to do.
    Overloaded,
    /// Too many requests by us.
    RateLimited,
    /// The provider's filter.
    ContentFilter,
    /// The user's own budget.
    Budget,
    /// Anything else.
    General,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Timeout,
        Self::Circuit,
        Self::Overloaded,
        Self::RateLimited,
        Self::ContentFilter,
        Self::Budget,
        Self::General,
    ];

    /// Returns the name, as in metrics and text keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Circuit => "circuit",
            Self::Overloaded => "overloaded",
            Self::RateLimited => "rate_limited",
            Self::ContentFilter => "content_filter",
            Self::Budget => "budget",
            Self::General => "general",
        }
    }
}

impl Failure {
    /// Sorts a status that is not 2xx.
    pub const fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            401..=403 => Self::Account(status),
            408 | 425 => Self::Status(status),
            429 => Self::RateLimited { retry_after },
            400..=499 => Self::Request(status),
            _ => Self::Status(status),
        }
    }

    /// Returns whether another model may answer what this one did not.
    pub const fn may_be_answered_elsewhere(&self) -> bool {
        !matches!(
            self,
            Self::Request(_)
                | Self::Account(_)
                | Self::Moderated
                | Self::ContentFilter
                | Self::Late
                | Self::Unread
        )
    }

    /// Returns what the breaker makes of it.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Connect(_)
            | Self::Broken(_)
            | Self::Status(_)
            | Self::ContentType(_)
            | Self::FirstToken
            | Self::Gap
            | Self::Total
            | Self::CutShort
            | Self::Empty
            | Self::Malformed(_)
            | Self::Reported(_)
            | Self::Overloaded => Verdict::Failure,
            Self::Unread
            | Self::Late
            | Self::Crowded
            | Self::Spent { .. }
            | Self::ContentFilter
            | Self::Moderated
            | Self::Request(_)
            | Self::CircuitOpen { .. } => Verdict::Excluded,
            Self::Account(_) => Verdict::Locked,
            Self::RateLimited { retry_after } => Verdict::Slowed(*retry_after),
        }
    }

    /// Returns whether another attempt may help, as long as nothing was shown.
    pub const fn is_retriable(&self) -> bool {
        matches!(self.verdict(), Verdict::Failure) && !matches!(self, Self::Total)
    }

    /// Returns why the user gets another text.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::FirstToken | Self::Gap | Self::Total | Self::Unread | Self::Late => Reason::Timeout,
            Self::CircuitOpen { .. } => Reason::Circuit,
            Self::Overloaded | Self::Crowded | Self::Status(503 | 529) => Reason::Overloaded,
            Self::RateLimited { .. } => Reason::RateLimited,
            Self::Spent { .. } => Reason::Budget,
            Self::ContentFilter | Self::Moderated => Reason::ContentFilter,
            _ => Reason::General,
        }
    }

    /// Returns when asking again may help, where it is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::CircuitOpen { retry_after } => *retry_after,
            Self::Spent { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_fall_into_their_classes() {
        let table = [
            (400, Verdict::Excluded, Reason::General),
            (401, Verdict::Locked, Reason::General),
            (402, Verdict::Locked, Reason::General),
            (408, Verdict::Failure, Reason::General),
            (422, Verdict::Excluded, Reason::General),
            (429, Verdict::Slowed(None), Reason::RateLimited),
            (500, Verdict::Failure, Reason::General),
            (503, Verdict::Failure, Reason::Overloaded),
            (302, Verdict::Failure, Reason::General),
        ];

        for (status, verdict, reason) in table {
            let failure = Failure::of_status(status, None);
            assert_eq!((failure.verdict(), failure.reason()), (verdict, reason), "{status}");
        }
    }

    #[test]
    fn only_counted_failures_are_tried_again() {
        assert!(Failure::FirstToken.is_retriable());
        assert!(Failure::Status(503).is_retriable());
        assert!(!Failure::Total.is_retriable());
        assert!(!Failure::Request(400).is_retriable());
        assert!(!Failure::RateLimited { retry_after: None }.is_retriable());
    }
}
