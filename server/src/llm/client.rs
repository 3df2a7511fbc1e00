//! The HTTP side of a model: one request, one stream of bytes.
//!
//! The connection has its own limit *on our clock*: a layer around reqwest's connector runs it under
//! [`clock::timeout`], for reqwest's own limit would use a clock that cannot be handed in, and a limit
//! around sending would also cover the wait for the head. Proxies and reqwest's retries are off; redirects are followed
//! only where neither the key nor what the user said goes to anybody else. Dropping a [`Stream`] closes its connection,
//! unless all of the answer was there.
//!
//! A connection whose answer was read to the end of its body is kept for the next question. Its other side may be gone by
//! then, and a question that goes out on it find nobody: then it is sent once more on a new one, within the same attempt,
//! for nothing is wrong with the model. It is one that finds nobody if it fails at once ([`DEAD_WITHIN`]) and without an
//! answer; later somebody may have worked on it, and that is a failure like any other.

mod connect;

use std::{error::Error, io, iter, time::Duration};

use bytes::Bytes;
use clock::SharedClock;
use jiff::Timestamp;
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
    redirect, retry,
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{failure::Failure, prompt::Turn};
use crate::config::Llm;
use connect::ConnectLimit;

/// Redirects that one request follows.
const REDIRECTS_MAX: usize = 3;
/// Connections that are kept at most, to one model.
const KEPT_MAX: usize = 64;
/// How long a connection is kept, by the clock of the machine: what lies between may forget it without a word, and no time
/// of the server's own is measured here.
const KEPT_FOR: Duration = Duration::from_secs(20);
/// A question on a kept connection that fails later than this has not found nobody.
const DEAD_WITHIN: Duration = Duration::from_millis(500);
/// How DeepSeek names a prompt or answer that its moderation refuses, with status 400.
const MODERATION: &str = "Content Exists Risk";
/// So much of an error's body is looked at, in bytes.
const ERROR_BODY_BYTES: usize = 4096;

/// What the system says of a connection whose other side has gone.
const GONE: [io::ErrorKind; 4] = [
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::UnexpectedEof,
];

/// A client of one model.
#[derive(Clone, Debug)]
pub struct Client {
    http: Result<Http, String>,
    clock: SharedClock,
    settings: Llm,
}

#[derive(Clone, Debug)]
struct Http {
    /// Keeps its connections.
    keeping: reqwest::Client,
    /// Opens one for each question.
    opening: reqwest::Client,
}

/// A streamed answer: bytes until the end. Dropping it before closes the connection.
#[derive(Debug)]
pub struct Stream(Response);

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: &'a [Turn],
    stream: bool,
    temperature: f64,
    max_tokens: u32,
    thinking: Thinking,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
}

impl Client {
    /// Makes a client. What is wrong with the settings shows at the first request.
    pub fn new(settings: &Llm, clock: SharedClock) -> Self {
        let http = Http::new(settings, &clock).map_err(|error| error.to_string());
        Self { http, clock, settings: settings.clone() }
    }

    /// Sends a prompt and returns the stream once its head is there and sound.
    ///
    /// Has no limit of its own beyond the one for connecting.
    pub async fn send(&self, messages: &[Turn], user_id: Option<&str>) -> Result<Stream, Failure> {
        let http = self.http.as_ref().map_err(|error| Failure::Connect(error.clone()))?;
        let body = self.body(messages, user_id);
        let until = self.clock.now() + DEAD_WITHIN;
        let (sent, has_connected) = connect::noticed(self.request(&http.keeping, &body).send()).await;
        let sent = match sent {
            Err(error) if !has_connected && self.clock.now() < until && is_dead(&error) => {
                tracing::debug!(cause = root(&error), "kept connection to the model was dead");
                self.request(&http.opening, &body).send().await
            }
            sent => sent,
        };
        self.check(sent.map_err(|error| failure(&error))?).await
    }

    fn request(&self, http: &reqwest::Client, body: &Request<'_>) -> RequestBuilder {
        let url = format!("{}/chat/completions", self.settings.base_url.trim_end_matches('/'));
        http.post(url)
            .bearer_auth(self.settings.api_key.expose_secret())
            .header("accept", "text/event-stream")
            .json(body)
    }

    fn body<'a>(&'a self, messages: &'a [Turn], user_id: Option<&'a str>) -> Request<'a> {
        Request {
            model: &self.settings.model,
            messages,
            stream: true,
            temperature: self.settings.temperature,
            max_tokens: self.settings.max_tokens,
            // On by default at DeepSeek, and seconds of silence for the user.
            thinking: Thinking { kind: "disabled" },
            user_id,
        }
    }

    async fn check(&self, response: Response) -> Result<Stream, Failure> {
        let status = response.status().as_u16();
        if status == 400 {
            let is_filtered = is_moderation(response).await;
            return Err(if is_filtered { Failure::Moderated } else { Failure::Request(status) });
        }
        if !response.status().is_success() {
            return Err(Failure::of_status(status, self.retry_after(&response)));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = kind.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case("text/event-stream") {
            return Err(Failure::ContentType(essence.chars().take(60).collect()));
        }
        Ok(Stream(response))
    }

    /// Reads `Retry-After`, in seconds or as a date.
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
        parse_retry_after(text, self.clock.wall())
    }
}

impl Http {
    fn new(settings: &Llm, clock: &SharedClock) -> reqwest::Result<Self> {
        let client = |kept| {
            reqwest::Client::builder()
                .retry(retry::never())
                .redirect(redirect::Policy::custom(at_home))
                .no_proxy()
                .http1_only()
                .pool_max_idle_per_host(kept)
                .pool_idle_timeout(KEPT_FOR)
                // What it says of itself is not believed, whatever another crate switches on in this library.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
                .connector_layer(ConnectLimit::new(SharedClock::clone(clock), settings.connect))
                .build()
        };
        Ok(Self { keeping: client(KEPT_MAX)?, opening: client(0)? })
    }
}

impl Stream {
    /// Returns the next bytes, or `None` at an orderly end. Cancellation-safe.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        self.0.chunk().await.map_err(|error| Failure::Broken(root(&error)))
    }
}

/// Follows a redirect that repeats the question at the same scheme, host and port; any other is taken
/// for the answer that it is.
fn at_home(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let repeats = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let asked = attempt.previous();
    let is_home = asked.first().is_some_and(|first| first.origin() == attempt.url().origin());
    if repeats && is_home && asked.len() <= REDIRECTS_MAX { attempt.follow() } else { attempt.stop() }
}

async fn is_moderation(mut response: Response) -> bool {
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = response.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() >= ERROR_BODY_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&body).contains(MODERATION)
}

/// Returns whether the other side had gone without an answer. A connection with TLS ends unexpectedly where nobody said so.
fn is_dead(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let of_http = cause.downcast_ref::<hyper::Error>();
        let of_socket = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        of_http.is_some_and(|error| error.is_incomplete_message() || error.is_canceled())
            || of_socket.is_some_and(|kind| GONE.contains(&kind))
    })
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::Connect(root(error))
    } else {
        Failure::Broken(root(error))
    }
}

/// Returns the innermost cause, which says most, without the URL.
fn root(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// Returns the error and what lies behind it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(Some(error as &(dyn Error + 'static)), |cause: &&(dyn Error + 'static)| {
        (*cause).source()
    })
}

fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();

        assert_eq!(parse_retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("Sun, 22 Nov 2026 12:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(parse_retry_after("soon", now), None);
    }

    #[test]
    fn thinking_is_switched_off_and_streaming_on() {
        let client = Client::new(&Llm::default(), std::sync::Arc::new(clock::SystemClock::new()));

        let body = serde_json::to_value(client.body(&[], None)).unwrap();

        assert_eq!(body["stream"], true);
        assert_eq!(body["thinking"]["type"], "disabled");
        assert!(body.get("user_id").is_none());
    }
}
