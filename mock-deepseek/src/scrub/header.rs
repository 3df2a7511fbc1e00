//! Which headers are kept.
//!
//! Of a request only those that change the answer are kept, for any other may be somebody's way to
//! carry a key. Of an answer all are kept but those of the connection and of the client's account.

use super::{Kind, Scrubber};

/// Headers of requests that are kept.
const REQUEST_KEPT: [&str; 8] = [
    "accept",
    "accept-encoding",
    "anthropic-beta",
    "anthropic-version",
    "content-encoding",
    "content-type",
    "openai-beta",
    "user-agent",
];
/// Headers that carry a key: of them a placeholder is kept.
const KEYS: [&str; 3] = ["authorization", "x-api-key", "api-key"];
/// Parameters of a query that carry a key.
const QUERY_KEYS: [&str; 6] = ["key", "api_key", "api-key", "apikey", "token", "access_token"];
/// Headers of answers that are dropped because they tell whose answer it is.
const ANSWER_DROPPED: [&str; 9] = [
    "set-cookie",
    "set-cookie2",
    "authorization",
    "proxy-authenticate",
    "proxy-authorization",
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "cf-connecting-ip",
];
/// Headers that name the exchange in the upstream's own log.
const TRACES: [&str; 8] = [
    "x-ds-trace-id",
    "x-request-id",
    "request-id",
    "cf-ray",
    "x-amz-cf-id",
    "eo-log-uuid",
    "traceparent",
    "x-amzn-trace-id",
];

/// Says whether a header of this name carries a key.
pub(crate) fn carries_key(name: &str) -> bool {
    KEYS.contains(&name)
}

/// Returns the headers of a request that are kept, as `name: value`.
pub(crate) fn request_headers(scrubber: &mut Scrubber, headers: &[(String, String)]) -> Vec<String> {
    learn(scrubber, headers);
    let kept = headers.iter().filter_map(|(name, value)| {
        if carries_key(name) {
            let (scheme, key) =
                value.split_once(' ').map_or(("", value.as_str()), |(scheme, key)| (scheme, key));
            let hidden = scrubber.placeholder(Kind::Key, key.to_owned());
            return Some(format!("{name}: {scheme}{}{hidden}", if scheme.is_empty() { "" } else { " " }));
        }
        REQUEST_KEPT.contains(&name.as_str()).then(|| format!("{name}: {}", scrubber.text(value)))
    });
    kept.collect()
}

/// Learns the keys and cookies of a request, so that they are found in bodies as well.
pub(crate) fn learn(scrubber: &mut Scrubber, headers: &[(String, String)]) {
    for (name, value) in headers {
        if carries_key(name) || name.contains("token") || name.contains("secret") {
            let key = value.split_once(' ').map_or(value.as_str(), |(_, key)| key);
            scrubber.learn(Kind::Key, key);
        } else if name == "cookie" {
            let values = value.split(';').filter_map(|pair| pair.split_once('='));
            for (_, value) in values {
                scrubber.learn(Kind::Secret, value.trim());
            }
        }
    }
}

/// Scrubs a path with its query.
pub(crate) fn path(scrubber: &mut Scrubber, path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return scrubber.text(path) };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() && QUERY_KEYS.contains(&name) => {
            scrubber.learn(Kind::Key, value);
            format!("{name}={}", scrubber.placeholder(Kind::Key, value.to_owned()))
        }
        _ => scrubber.text(pair),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    format!("{}?{query}", scrubber.text(path))
}

/// Returns the headers of an answer that are kept, as `name: value`.
pub(crate) fn answer_headers(
    scrubber: &mut Scrubber,
    headers: &[(String, String)],
    keep_traces: bool,
) -> Vec<String> {
    for (_, value) in headers.iter().filter(|(name, _)| name == "set-cookie") {
        let cookie = value.split(';').next().and_then(|pair| pair.split_once('='));
        if let Some((_, value)) = cookie {
            scrubber.learn(Kind::Secret, value.trim());
        }
    }
    let kept = headers.iter().filter(|(name, _)| {
        !ANSWER_DROPPED.contains(&name.as_str()) && (keep_traces || !TRACES.contains(&name.as_str()))
    });
    kept.map(|(name, value)| format!("{name}: {}", scrubber.text(value))).collect()
}
