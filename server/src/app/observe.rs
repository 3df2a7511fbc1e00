//! What is seen of a request from outside: its id, its log line, and a panic as an answer.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use clock::SharedClock;
use futures_util::FutureExt;
use jiff::fmt::rfc2822::DateTimePrinter;
use tracing::Instrument;
use uuid::Uuid;

use crate::{error::ApiError, routes::feed::FEEDS};

/// Headers that tell browsers to be careful with what we answer, unless an answer has its own.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Names a request in log and answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is taken over from a client, in bytes.
const REQUEST_ID_MAX: usize = 64;

/// Gives the request an id and a span, and the answer the id, a date and the security headers. The query stays out of the log: it may
/// hold a token. So does the name of a calendar feed, which is one.
pub(super) async fn request(State(clock): State<SharedClock>, mut request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).filter(|id| is_plain(id)).cloned();
    let id = id.unwrap_or_else(fresh_id);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let (method, path) = (request.method().clone(), shown_path(request.uri().path()).to_owned());
    let shown = id.to_str().unwrap_or_default().to_owned();
    let span = tracing::info_span!("request", id = shown, %method, path);
    let began = clock.now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = clock.now().since(began);
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), ?took, "request answered"));
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response.headers_mut().insert(REQUEST_ID, id);
    if let Some(date) = date(&clock) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Turns a panic into 500, so that it ends one request and not the connection's others.
pub(super) async fn catch_panic(request: Request, next: Next) -> Response {
    let ended = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    ended.unwrap_or_else(|_| {
        tracing::error!("handler panicked");
        ApiError::internal().into_response()
    })
}

fn shown_path(path: &str) -> &str {
    if path.starts_with(FEEDS) { FEEDS } else { path }
}

fn is_plain(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !id.is_empty() && id.len() <= REQUEST_ID_MAX && id.as_bytes().iter().all(plain)
}

fn fresh_id() -> HeaderValue {
    HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("none"))
}

fn date(clock: &SharedClock) -> Option<HeaderValue> {
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&clock.wall()).ok()?;
    HeaderValue::from_str(&text).ok()
}
