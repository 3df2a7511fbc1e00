//! Errors as clients see them: a status, and a JSON body `{"error", "code", …}`. Some are problems of RFC 9457, too.
//!
//! Invariant: the text is a safe sentence that ends with a way out; causes go to the log, once, here.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::storage::StorageError;

/// How long a client should wait when the database is gone.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(1);

/// Beginnings of PostgreSQL's codes (SQLSTATE) for: connection lost, out of resources, shutting down or
/// starting up.
const OUTAGE_STATES: [&str; 3] = ["08", "53", "57P0"];

/// SQLite's codes for: file busy, table locked.
const OUTAGE_CODES: [u32; 2] = [5, 6];

/// How a body says that it is a problem of RFC 9457.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    text: String,
    retry_after: Option<Duration>,
    problem: Option<&'static Problem>,
    more: Vec<(String, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A kind of problem as RFC 9457 has it.
#[derive(Debug)]
pub struct Problem {
    /// The address of its description, which stands for the kind.
    pub kind: &'static str,
    /// What it is in a few words, the same for all of the kind.
    pub title: &'static str,
}

impl ApiError {
    /// Makes an error with a stable `code` for programs and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        let (more, headers) = (Vec::new(), Vec::new());
        Self { status, code, text: text.into(), retry_after: None, problem: None, more, headers }
    }

    /// Makes an error that says the request itself is wrong (400).
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", text)
    }

    /// Makes an error that says there is no such thing, or none of the caller's (404).
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
    }

    /// Adds when to ask again: `Retry-After` in whole seconds, rounded up, at least 1, and
    /// `retry_after_ms` in the body.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds a field to the body.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        self.more.push((name.to_owned(), json!(value)));
        self
    }

    /// Makes the body a problem of this kind, too.
    #[must_use]
    pub const fn problem(mut self, problem: &'static Problem) -> Self {
        self.problem = Some(problem);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

/// Returns a wait in whole seconds as headers have it: rounded up, at least 1.
pub fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Returns a wait in milliseconds, rounded up.
fn whole_millis(wait: Duration) -> u128 {
    wait.as_nanos().div_ceil(1_000_000)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body =
            Map::from_iter([("error".to_owned(), self.text.into()), ("code".to_owned(), self.code.into())]);
        if let Some(wait) = self.retry_after {
            body.insert("retry_after_ms".to_owned(), json!(whole_millis(wait)));
        }
        if let Some(Problem { kind, title }) = self.problem {
            body.insert("type".to_owned(), (*kind).into());
            body.insert("title".to_owned(), (*title).into());
            body.insert("detail".to_owned(), body["error"].clone());
            body.insert("status".to_owned(), self.status.as_u16().into());
        }
        body.extend(self.more);
        let mut response = (self.status, Json(body)).into_response();
        response.headers_mut().extend(self.headers);
        if self.problem.is_some() {
            response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM);
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::UPGRADE_REQUIRED {
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        if let StorageError::TooMany { what, most } = error {
            let text = format!("you have {most} {what}, as many as there may be; change one of them instead");
            return Self::new(StatusCode::CONFLICT, "too_many", text);
        }
        tracing::error!(%error, "storage failed");
        if is_unavailable(&error) {
            let text = "our database cannot be reached right now; please try again in a moment";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).after(UNAVAILABLE_WAIT);
        }
        Self::internal()
    }
}

impl ApiError {
    /// Makes an error for what is our fault (500).
    pub fn internal() -> Self {
        let text = "something went wrong on our side; please try again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
    }
}

/// Tells an engine that is gone or cannot serve us now from one that refuses what was asked.
fn is_unavailable(error: &StorageError) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, WorkerCrashed};
    match error {
        StorageError::Unavailable(_)
        | StorageError::Engine(Io(_) | PoolClosed | PoolTimedOut | WorkerCrashed) => true,
        StorageError::Engine(Database(said)) => said.code().is_some_and(|code| is_outage(&code)),
        _ => false,
    }
}

/// Tells by the code of an engine whether it would have done the same at another time.
fn is_outage(code: &str) -> bool {
    // SQLSTATE has five characters, the extended codes of SQLite have fewer and the cause in the low byte.
    if code.len() == 5 {
        return OUTAGE_STATES.iter().any(|state| code.starts_with(state));
    }
    code.parse::<u32>().is_ok_and(|code| OUTAGE_CODES.contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds_and_never_zero() {
        let seconds = [0, 1, 999, 1000, 1001, 6000].map(|ms| whole_seconds(Duration::from_millis(ms)));

        assert_eq!(seconds, [1, 1, 1, 1, 2, 6]);
    }

    #[test]
    fn a_lost_database_is_told_from_a_fault_of_ours() {
        let lost = ApiError::from(StorageError::Engine(sqlx::Error::PoolTimedOut));
        let fault = ApiError::from(StorageError::Other("x".to_owned()));

        assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(fault.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    /// What an engine says itself.
    #[derive(Debug)]
    struct Said(&'static str);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Said {}

    impl sqlx::error::DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }
    }

    #[test]
    fn an_outage_that_the_engine_reports_is_one_to_wait_for() {
        let status =
            |code| ApiError::from(StorageError::Engine(sqlx::Error::Database(Box::new(Said(code))))).status();

        for code in ["5", "6", "261", "517", "57P01", "57P03", "53300", "08006"] {
            assert_eq!(status(code), StatusCode::SERVICE_UNAVAILABLE, "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42P01", "57014"] {
            assert_eq!(status(code), StatusCode::INTERNAL_SERVER_ERROR, "{code}");
        }
    }
}
