//! `Idempotency-Key` (draft 07 of the IETF): a request that its client may send again.
//!
//! | the key was used | for | then |
//! |---|---|---|
//! | never, or longer ago than `calendar.reply_life` | | the request is done, and its reply kept |
//! | before | the same body | the kept reply comes again, with `Idempotency-Replayed: true` |
//! | before | another body | 422 |
//! | by a request that still runs | | 409 |
//!
//! Keys belong to their user. The reply is kept in the transaction that makes the reminder: after a crash there are
//! both or none, so a repetition is always safe. A refusal makes nothing and keeps nothing; its repetition is judged
//! anew. On another replica a repetition waits for the request that runs, and gets its reply.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Creation;
use crate::{
    app::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED},
    error::ApiError,
    hash::sha256,
    ids::UserId,
};

/// Tells that a reply was given before.
pub(super) const REPLAYED: (HeaderName, HeaderValue) =
    (IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));

/// Longest key, in bytes.
const KEY_MAX: usize = 255;

/// The requests with a key that run on this replica: one for each at most, so they are bounded by what runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Mutex<HashSet<(UserId, String)>>>);

/// A running request. Dropping it lets the next one with its key begin.
pub(super) struct Turn {
    running: Running,
    key: (UserId, String),
}

impl Running {
    /// Begins a request, unless one with this key runs.
    pub(super) fn begin(&self, user: UserId, key: &str) -> Result<Turn, ApiError> {
        let key = (user, key.to_owned());
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            return Ok(Turn { running: self.clone(), key });
        }
        let text =
            "a request with this `Idempotency-Key` is still running; wait for its reply, then send it again";
        Err(ApiError::new(StatusCode::CONFLICT, "request_running", text))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Reads the key of a request, if it has one. The quotes of the draft may be left out.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if key.is_empty() || key.len() > KEY_MAX || headers.get_all(IDEMPOTENCY_KEY).iter().count() > 1 {
        let text = format!(
            "`Idempotency-Key` must be there once, with 1 to {KEY_MAX} visible ASCII characters; a UUID will do"
        );
        return Err(ApiError::invalid(text));
    }
    Ok(Some(key.to_owned()))
}

/// Returns a hash of what is asked for, however it was written.
pub(super) fn fingerprint(form: &Creation) -> String {
    sha256(&serde_json::to_vec(form).unwrap_or_default())
}

pub(super) fn other_request() -> ApiError {
    let text =
        "this `Idempotency-Key` was used before for another request; take a new key for each new reminder";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, ApiError> {
        let headers =
            values.iter().map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        key(&headers.collect())
    }

    #[test]
    fn a_key_comes_with_quotes_or_without_f76() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["\"8e03-97\""]).unwrap().as_deref(), Some("8e03-97"));
        assert_eq!(read(&["8e03-97"]).unwrap().as_deref(), Some("8e03-97"));
        for wrong in [&[""][..], &["\"\""], &["é"], &["a", "b"], &[&"x".repeat(256)]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn of_two_requests_with_a_key_one_runs_f76() {
        let (running, ana, bea) = (Running::default(), UserId::random(), UserId::random());

        let first = running.begin(ana, "k").unwrap_or_else(|_| panic!("nothing runs"));
        assert!(running.begin(ana, "k").is_err());
        assert!(running.begin(bea, "k").is_ok());
        drop(first);

        assert!(running.begin(ana, "k").is_ok());
        assert!(running.0.lock().unwrap().is_empty());
    }

    #[test]
    fn the_same_is_asked_for_however_it_is_written_f76() {
        let form = |text: &str| fingerprint(&serde_json::from_str(text).unwrap());
        let usual = form(r#"{"title":"a","reminder_time":"t"}"#);

        assert_eq!(form(r#"{ "reminder_time": "t", "title": "a", "description": null }"#), usual);
        assert_ne!(form(r#"{"title":"b","reminder_time":"t"}"#), usual);
        assert_eq!(usual.len(), 64);
    }
}
