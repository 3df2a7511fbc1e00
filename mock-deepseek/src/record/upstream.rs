//! The HTTP side of recording: one request to the upstream, one answer in pieces.
//!
//! Nothing is followed, repeated, decompressed or pooled; proxies of the environment are ignored. Keys are
//! sent to the host of the base URL and to no other. Limits run on the clock that was handed in. Names of
//! headers arrive in lower case, chunks as they were read from the socket.

use std::{io, time::Duration};

use bytes::Bytes;
use clock::Clock;
use reqwest::{
    Method, Request, Response, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};

use super::{BodyEnd, How, RecordError, Sent};

/// The longest wait for the head of an answer. The API itself gives up after ten minutes.
pub const UPSTREAM_HEAD_MAX: Duration = Duration::from_mins(11);
/// The longest silence within an answer.
pub const UPSTREAM_SILENCE_MAX: Duration = Duration::from_mins(11);

/// Headers that belong to one connection, or that are made anew for the next.
const PER_CONNECTION: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "accept-encoding",
];
/// Headers that begin so are for the mock.
const OWN: &str = "x-mock-";

/// An answer that has begun.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) status: u16,
    /// Without those of the connection.
    pub(super) headers: Vec<(String, String)>,
    pub(super) ends: BodyEnd,
    pub(super) compressed: Option<String>,
    /// Bytes that the head promises and that have not come.
    pub(super) due: Option<u64>,
    response: Response,
}

/// What comes next of an answer.
#[derive(Debug)]
pub(super) enum Next {
    Piece(Bytes),
    End(How),
    /// Nothing came for [`UPSTREAM_SILENCE_MAX`].
    Silence,
}

/// Reads the base URL.
pub(super) fn base(text: &str) -> Result<Url, RecordError> {
    let wrong = |reason: &str| RecordError::Upstream { url: text.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.query().is_some() || url.fragment().is_some() => {
            Err(wrong("it has a query or a fragment"))
        }
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err(wrong("it holds a name or a password, and keys come from the client"))
        }
        "http" | "https" => Ok(url),
        _ => Err(wrong("it begins neither with `http://` nor with `https://`")),
    }
}

pub(super) fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .retry(retry::never())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .http1_only()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|error| causes(&error))
}

/// Makes the request to the upstream from that of the client.
pub(super) fn request(base: &Url, sent: &Sent, compressed: bool) -> Result<Request, String> {
    let text = format!("{}{}", base.as_str().trim_end_matches('/'), sent.path);
    let url = Url::parse(&text).map_err(|error| format!("path `{}`: {error}", sent.path))?;
    // A path such as `@elsewhere/` would make a host of it, and the key would go there.
    if !sent.path.starts_with('/') || url.origin() != base.origin() {
        return Err(format!("path `{}` does not lead to it", sent.path));
    }
    let method = Method::from_bytes(sent.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = Request::new(method, url);
    let asked = sent.headers.iter().find(|(name, _)| compressed && name == "accept-encoding");
    let encoding = asked.map_or("identity", |(_, value)| value.as_str());
    let passed =
        sent.headers.iter().filter(|(name, _)| passes(name, &sent.headers) && !name.starts_with(OWN));
    let own = [("accept-encoding".to_owned(), encoding.to_owned())];
    for (name, value) in passed.chain(&own) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            request.headers_mut().append(name, value);
        }
    }
    if !sent.body.is_empty() {
        *request.body_mut() = Some(sent.body.clone().into());
    }
    Ok(request)
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(
    http: &reqwest::Client,
    request: Request,
    clock: &dyn Clock,
) -> Result<Upstream, String> {
    let is_bodiless = request.method() == Method::HEAD;
    let response = clock::timeout(clock, UPSTREAM_HEAD_MAX, http.execute(request))
        .await
        .map_err(|_| format!("no answer within {UPSTREAM_HEAD_MAX:?}"))?
        .map_err(|error| causes(&error))?;
    Ok(Upstream::new(response, is_bodiless))
}

impl Upstream {
    fn new(response: Response, is_bodiless: bool) -> Self {
        let status = response.status().as_u16();
        let named = |name: &str| response.headers().get(name).map(text);
        let is_bodiless = is_bodiless || matches!(status, 100..=199 | 204 | 304);
        let due = named("content-length").and_then(|length| length.parse().ok()).filter(|_| !is_bodiless);
        let is_chunked = named("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
        let ends = match due {
            _ if is_bodiless => BodyEnd::Close,
            _ if is_chunked => BodyEnd::Chunked,
            Some(_) => BodyEnd::Length,
            None => BodyEnd::Close,
        };
        let compressed = named("content-encoding").filter(|coding| coding != "identity" && !is_bodiless);
        Self { status, headers: headers(response.headers()), ends, compressed, due, response }
    }

    /// Waits for the next piece.
    pub(super) async fn next(&mut self, clock: &dyn Clock) -> Next {
        match clock::timeout(clock, UPSTREAM_SILENCE_MAX, self.response.chunk()).await {
            Err(_) => Next::Silence,
            Ok(Ok(Some(bytes))) => {
                self.due = self.due.map(|due| due.saturating_sub(bytes.len() as u64));
                Next::Piece(bytes)
            }
            Ok(Ok(None)) => Next::End(How::Complete),
            Ok(Err(error)) if is_reset(&error) => Next::End(How::Reset),
            Ok(Err(_)) => Next::End(How::Cut),
        }
    }

    /// Says whether every byte that the head promised has come.
    pub(super) fn is_through(&self) -> bool {
        self.ends == BodyEnd::Length && self.due == Some(0)
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let all: Vec<_> = map.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    all.iter().filter(|(name, _)| passes(name, &all)).cloned().collect()
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Says whether a header goes on to the next connection.
fn passes(name: &str, all: &[(String, String)]) -> bool {
    let is_named = |list: &str| list.split(',').any(|part| part.trim().eq_ignore_ascii_case(name));
    let is_listed = all.iter().any(|(other, list)| other == "connection" && is_named(list));
    !PER_CONNECTION.contains(&name) && !is_listed
}

fn is_reset(error: &reqwest::Error) -> bool {
    chain(error).any(|cause| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        kind == Some(io::ErrorKind::ConnectionReset)
    })
}

/// Writes an error with its causes.
fn causes(error: &reqwest::Error) -> String {
    // The URL may hold a key in its query.
    let mut texts: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
    texts.dedup();
    if texts.is_empty() { "the request cannot be sent".to_owned() } else { texts.join(": ") }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(path: &str, headers: &[(&str, &str)]) -> Sent {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sent { method: "POST".to_owned(), path: path.to_owned(), headers, body: Bytes::new() }
    }

    #[test]
    fn a_key_goes_to_the_upstream_and_to_no_other_host_m14() {
        let base = base("https://api.deepseek.com").unwrap();

        for path in ["@elsewhere.invalid/", ".elsewhere.invalid/", ":81/", "http://elsewhere.invalid/"] {
            assert!(request(&base, &sent(path, &[]), false).is_err(), "{path}");
        }
        let url = request(&base, &sent("//elsewhere.invalid/x", &[]), false).unwrap().url().clone();
        assert_eq!(url.host_str(), Some("api.deepseek.com"));
    }

    #[test]
    fn headers_of_the_connection_and_of_the_mock_stay_behind() {
        let base = base("http://127.0.0.1:1/prefix/").unwrap();
        let headers = [
            ("authorization", "Bearer sk-a"),
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("x-mock-fault", ""),
            ("accept-encoding", "gzip"),
        ];

        let plain = request(&base, &sent("/models?a=b", &headers), false).unwrap();
        let compressed = request(&base, &sent("/models", &headers), true).unwrap();

        let names: Vec<_> = plain.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["authorization", "accept-encoding"]);
        assert_eq!(
            (plain.url().as_str(), &plain.headers()["accept-encoding"]),
            ("http://127.0.0.1:1/prefix/models?a=b", &HeaderValue::from_static("identity"))
        );
        assert_eq!(compressed.headers()["accept-encoding"], "gzip");
    }

    #[test]
    fn a_base_that_cannot_be_used_is_refused_with_an_example() {
        for text in ["api.deepseek.com", "ftp://a", "https://u:p@a", "https://a?b=c", ""] {
            let error = base(text).unwrap_err().to_string();
            assert!(error.contains("`https://api.deepseek.com`"), "{error}");
        }
    }
}
