//! Errors as clients see them: a status, and a JSON body `{"error", "code", …}`.
//!
//! Invariant: the text is a safe sentence that ends with a way out; causes go to the log, once, here.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::storage::StorageError;

/// How long a client should wait when the database is gone.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(1);

/// Why a request was not done.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    text: String,
    retry_after: Option<Duration>,
    more: Vec<(String, Value)>,
}

impl ApiError {
    /// Makes an error with a stable `code` for programs and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into(), retry_after: None, more: Vec::new() }
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
        body.extend(self.more);
        let mut response = (self.status, Json(body)).into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
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

/// Tells an engine that is gone from one that refuses.
fn is_unavailable(error: &StorageError) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, WorkerCrashed};
    matches!(error, StorageError::Engine(Io(_) | PoolClosed | PoolTimedOut | WorkerCrashed))
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
}
