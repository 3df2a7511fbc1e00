//! Keeps pages of strangers away: a browser of this machine reaches the control API, and so would they.
//!
//! Let in is who sends no `Origin` (every program that is no browser), the page of this port, and the page of
//! the API's port on the same host; only the last needs, and gets, a CORS header.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Control, Refusal};
use crate::metrics::Refused;

pub(crate) async fn check(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    match judge(request.headers(), control.is_local(), control.api.port()) {
        Ok(granted) => {
            let mut response = next.run(request).await;
            if let Some(origin) = granted {
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
            }
            response
        }
        Err(refusal) => {
            control.shared.journal.watch.metrics.refused(Refused::Origin);
            refusal.into_response()
        }
    }
}

impl Control {
    fn is_local(&self) -> bool {
        self.shared.control.is_none_or(|address| address.ip().is_loopback())
    }
}

/// Returns the origin that is to be told that it may read the answer, if there is one.
fn judge(headers: &HeaderMap, local: bool, api: u16) -> Result<Option<HeaderValue>, Refusal> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if local && !is_of_this_machine(name(host)) {
        return Err(refusal("foreign_host", format!("`{host}` is not a name of this machine")));
    }
    let Some(origin) = text(header::ORIGIN) else { return Ok(None) };
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    if !authority.is_empty() && authority == host {
        return Ok(None);
    }
    if !authority.is_empty() && name(authority) == name(host) && port(authority) == Some(api) {
        return Ok(headers.get(header::ORIGIN).cloned());
    }
    Err(refusal("foreign_origin", format!("the page of `{origin}` may not use the control API")))
}

fn refusal(code: &'static str, message: String) -> Refusal {
    let hint = "open the page of the mock itself, or use a client that sends no `Origin`, such as curl";
    Refusal::new(StatusCode::FORBIDDEN, code, message, hint)
}

/// Says whether a name cannot have been made to point here by somebody else's name server.
fn is_of_this_machine(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

/// Returns a host without its port.
pub(crate) fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn port(host: &str) -> Option<u16> {
    host.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(host: &str, origin: Option<&str>) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let granted = judge(&headers, true, 4010).map_err(|refusal| {
            let body = format!("{refusal:?}");
            if body.contains("foreign_host") { "foreign_host" } else { "foreign_origin" }
        })?;
        Ok(granted.map(|value| value.to_str().unwrap().to_owned()))
    }

    #[test]
    fn programs_and_our_own_pages_are_let_in_m11() {
        assert_eq!(judged("127.0.0.1:4011", None), Ok(None));
        assert_eq!(judged("localhost:4011", Some("http://localhost:4011")), Ok(None));
        let page = "http://localhost:4010";
        assert_eq!(judged("localhost:4011", Some(page)), Ok(Some(page.to_owned())));
        assert_eq!(judged("[::1]:4011", Some("http://[::1]:4010")), Ok(Some("http://[::1]:4010".to_owned())));
    }

    #[test]
    fn pages_of_strangers_are_kept_out_m11() {
        for origin in ["http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:4010"] {
            assert_eq!(judged("localhost:4011", Some(origin)), Err("foreign_origin"), "{origin}");
        }
    }

    #[test]
    fn a_name_that_was_made_to_point_here_is_refused_m11() {
        assert_eq!(judged("evil.example:4011", Some("http://evil.example:4010")), Err("foreign_host"));
        assert_eq!(judged("", Some("null")), Err("foreign_origin"));
    }
}
