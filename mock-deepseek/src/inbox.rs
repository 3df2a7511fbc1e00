//! Reads requests of HTTP/1 from a connection: heads, bodies by length or in chunks.
//!
//! `httparse` knows the grammar; what stands here is when to read on, and where to stop. Invariant:
//! nothing is read beyond [`HEAD_MAX`] of a head, the given bound of a body, and
//! [`AHEAD_MAX`] of requests that come while one is being answered.

use std::{borrow::Cow, future::pending, mem::MaybeUninit, time::Duration};

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    headers::{Credentials, Headers},
    journal::Arrival,
    upload::{UPLOAD_BODY_MAX, Upload},
    wire::Wire,
};

/// The longest request line with headers; a longer one is answered with 431.
pub const HEAD_MAX: usize = 64 * 1024;
/// The most headers of a request; more are answered with 431.
const HEADERS_MAX: usize = 100;
/// So much of a refused body is read and thrown away, so that its sender sees the refusal.
pub(crate) const DRAIN_MAX: usize = 64 * 1024 * 1024;
/// So long a sender may take for that.
pub(crate) const LINGER_MAX: Duration = Duration::from_secs(30);
/// The longest line that tells the size of a chunk.
const CHUNK_LINE_MAX: usize = 1024;
/// So much is read ahead while an answer is being written; reading stops there.
const AHEAD_MAX: usize = HEAD_MAX;

/// Shorter bodies are copied, so that the buffer is used again; longer ones take it away.
const COPIED_MAX: usize = 4 * 1024;

/// How a connection of HTTP/2 begins: RFC 9113, section 3.4.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: Cow<'static, str>,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) credentials: Credentials,
    /// Whether the client speaks HTTP/1.0.
    pub(crate) is_old: bool,
    length: Length,
}

/// How long the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Bytes(usize),
    Chunked,
}

/// The body of a request.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    /// It was read as a form, and its file was not kept.
    Form(Box<Upload>),
    /// It is longer than the bound; the rest has not been read.
    TooLarge,
}

/// Why there is no request to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRequest {
    /// The client has left.
    Gone,
    /// What came is no HTTP.
    Malformed,
    /// The head is over [`HEAD_MAX`], or has too many headers.
    HeadTooLarge,
    /// The client begins to speak HTTP/2, without having asked.
    Http2,
}

/// Bytes that have arrived and not been used.
#[derive(Debug)]
pub(crate) struct Inbox<'a> {
    wire: &'a Wire,
    buffer: BytesMut,
}

impl<'a> Inbox<'a> {
    pub(crate) fn new(wire: &'a Wire) -> Self {
        Self { wire, buffer: BytesMut::new() }
    }

    /// Waits for the head of the next request.
    pub(crate) async fn head(&mut self) -> Result<Head, NoRequest> {
        loop {
            if let Some(head) = self.parse_head()? {
                return Ok(head);
            }
            if self.buffer.len() >= HEAD_MAX {
                return Err(NoRequest::HeadTooLarge);
            }
            self.more().await?;
        }
    }

    /// Returns what has arrived and not been used.
    pub(crate) fn into_rest(self) -> BytesMut {
        self.buffer
    }

    fn parse_head(&mut self) -> Result<Option<Head>, NoRequest> {
        if self.buffer.starts_with(HTTP2_PREFACE) {
            return Err(NoRequest::Http2);
        }
        if HTTP2_PREFACE.starts_with(&self.buffer) {
            return Ok(None);
        }
        // Filling the list beforehand would cost more than reading a head.
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut []);
        let length = match request.parse_with_uninit_headers(&self.buffer, &mut fields) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(NoRequest::HeadTooLarge),
            Err(_) => return Err(NoRequest::Malformed),
        };
        let head = Head::new(&request)?;
        self.buffer.advance(length);
        Ok(Some(head))
    }

    /// Reads the body of the request with this head, `max` bytes at most.
    pub(crate) async fn body(&mut self, head: &Head, max: usize) -> Result<Body, NoRequest> {
        match head.length {
            Length::Bytes(length) if length > max => Ok(Body::TooLarge),
            Length::Bytes(0) => Ok(Body::Whole(Bytes::new())),
            length => {
                self.proceed(head).await?;
                match length {
                    Length::Bytes(length) => self.exactly(length).await.map(Body::Whole),
                    Length::Chunked => self.chunks(max).await,
                }
            }
        }
    }

    /// Reads the body of the request with this head as a form; of that, only what must be is held.
    pub(crate) async fn form(&mut self, head: &Head, mut form: Upload) -> Result<Body, NoRequest> {
        match head.length {
            Length::Bytes(length) if length > UPLOAD_BODY_MAX => return Ok(Body::TooLarge),
            Length::Bytes(length) => {
                self.proceed(head).await?;
                self.feed(length, &mut form).await?;
            }
            Length::Chunked => {
                self.proceed(head).await?;
                let mut left = UPLOAD_BODY_MAX;
                loop {
                    let size = self.chunk_size().await?;
                    if size == 0 {
                        self.trailers().await?;
                        break;
                    }
                    if size > left {
                        return Ok(Body::TooLarge);
                    }
                    left -= size;
                    self.feed(size, &mut form).await?;
                    self.chunk_end().await?;
                }
            }
        }
        Ok(Body::Form(Box::new(form)))
    }

    /// Tells a client that waits for it to send the body.
    async fn proceed(&mut self, head: &Head) -> Result<(), NoRequest> {
        if self.buffer.is_empty() && head.expects_continue() {
            let proceed = b"HTTP/1.1 100 Continue\r\n\r\n";
            self.wire.write_all(proceed).await.map_err(|_| NoRequest::Gone)?;
        }
        Ok(())
    }

    /// Gives the next bytes to the form as they arrive.
    async fn feed(&mut self, mut left: usize, form: &mut Upload) -> Result<(), NoRequest> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let count = left.min(self.buffer.len());
            form.feed(&self.buffer[..count]);
            self.buffer.advance(count);
            left -= count;
        }
        Ok(())
    }

    /// Waits for so many bytes and takes them.
    async fn exactly(&mut self, length: usize) -> Result<Bytes, NoRequest> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        if length > COPIED_MAX {
            return Ok(self.buffer.split_to(length).freeze());
        }
        let bytes = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        Ok(bytes)
    }

    async fn chunks(&mut self, max: usize) -> Result<Body, NoRequest> {
        let mut body = BytesMut::new();
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                self.trailers().await?;
                return Ok(Body::Whole(body.freeze()));
            }
            if size > max - body.len() {
                return Ok(Body::TooLarge);
            }
            body.extend_from_slice(&self.exactly(size).await?);
            self.chunk_end().await?;
        }
    }

    async fn chunk_end(&mut self) -> Result<(), NoRequest> {
        if *self.exactly(2).await? == *b"\r\n" { Ok(()) } else { Err(NoRequest::Malformed) }
    }

    async fn chunk_size(&mut self) -> Result<usize, NoRequest> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((line, size))) => {
                    self.buffer.advance(line);
                    return usize::try_from(size).map_err(|_| NoRequest::Malformed);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < CHUNK_LINE_MAX => self.more().await?,
                _ => return Err(NoRequest::Malformed),
            }
        }
    }

    /// Reads the lines after the last chunk and forgets them.
    async fn trailers(&mut self) -> Result<(), NoRequest> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
            match httparse::parse_headers(&self.buffer, &mut fields) {
                Ok(httparse::Status::Complete((length, _))) => {
                    self.buffer.advance(length);
                    return Ok(());
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < HEAD_MAX => self.more().await?,
                _ => return Err(NoRequest::Malformed),
            }
        }
    }

    /// Reads on while an answer is written, and returns when the client has left.
    pub(crate) async fn gone(&mut self) {
        while self.buffer.len() < AHEAD_MAX {
            if self.more().await.is_err() {
                return;
            }
        }
        pending::<()>().await;
    }

    /// Waits until something of the next request is there.
    pub(crate) async fn next_begins(&mut self) {
        while self.buffer.is_empty() && self.more().await.is_ok() {}
    }

    /// Reads what the client still sends and throws it away: up to `max` bytes, or until it leaves.
    pub(crate) async fn drain(&mut self, max: usize) {
        let mut left = max;
        while left > 0 && self.more().await.is_ok() {
            left = left.saturating_sub(self.buffer.len());
            self.buffer.clear();
        }
    }

    async fn more(&mut self) -> Result<(), NoRequest> {
        match self.wire.read(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(NoRequest::Gone),
            Ok(_) => Ok(()),
        }
    }
}

impl Head {
    fn new(request: &httparse::Request<'_, '_>) -> Result<Self, NoRequest> {
        let (mut headers, mut credentials) =
            (Headers::with_capacity(request.headers.len()), Credentials::default());
        for field in &*request.headers {
            headers.push(field.name, field.value, &mut credentials);
        }
        Ok(Self {
            method: match request.method {
                Some("POST") => "POST".into(),
                Some("GET") => "GET".into(),
                other => other.unwrap_or_default().to_owned().into(),
            },
            path: origin_form(request.path.unwrap_or_default()).into(),
            length: length(&headers)?,
            headers,
            credentials,
            is_old: request.version == Some(0),
        })
    }

    /// Takes the head of a stream of HTTP/2. The host stands there in `:authority`.
    pub(crate) fn of_http2(parts: &http::request::Parts) -> Self {
        let mut headers = Headers::with_capacity(parts.headers.len() + 1);
        let mut credentials = Credentials::default();
        if let Some(authority) = parts.uri.authority() {
            headers.push("host", authority.as_str().as_bytes(), &mut credentials);
        }
        for (name, value) in &parts.headers {
            headers.push(name.as_str(), value.as_bytes(), &mut credentials);
        }
        Self {
            method: parts.method.as_str().to_owned().into(),
            path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).into(),
            headers,
            credentials,
            is_old: false,
            length: Length::Bytes(0),
        }
    }

    /// Returns what the journal wants to know of it.
    pub(crate) fn arrival(&self, connection: u64, nth: u64) -> Arrival<'_> {
        let Self { method, path, headers, .. } = self;
        Arrival { connection, nth, method, path, headers }
    }

    /// Says whether the client wants the connection to be closed after the answer.
    pub(crate) fn wants_close(&self) -> bool {
        let asked = self.headers.get("connection").unwrap_or_default();
        self.is_old || self.method == "HEAD" || asked.to_ascii_lowercase().contains("close")
    }

    fn expects_continue(&self) -> bool {
        self.headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }
}

/// Takes scheme and host away, which clients that believe to talk to a proxy put before the path.
fn origin_form(target: &str) -> &str {
    let Some(rest) = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://")) else {
        return target;
    };
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// Reads how long the body is. Two different answers to that are refused: RFC 9112, section 6.3.
fn length(headers: &Headers) -> Result<Length, NoRequest> {
    let values = |wanted| headers.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value);
    let mut lengths = values("content-length").flat_map(|value| value.split(',')).map(str::trim);
    let first = lengths.next();
    if lengths.any(|other| Some(other) != first) {
        return Err(NoRequest::Malformed);
    }
    match (values("transfer-encoding").last(), first) {
        (None, None) => Ok(Length::Bytes(0)),
        (None, Some(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            // A length that no machine can hold is too large whatever the bound is.
            Ok(Length::Bytes(if digits.is_empty() { 0 } else { digits.parse().unwrap_or(usize::MAX) }))
        }
        (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
        _ => Err(NoRequest::Malformed),
    }
}
