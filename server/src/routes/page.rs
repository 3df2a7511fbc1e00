//! The page to talk to the server by: files that are compiled in, and asks nobody else for anything.

use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};

use super::input;
use crate::error::ApiError;

/// What the page may do: its own scripts, its own styles, calls to its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// A file of the page, by its name.
macro_rules! file {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("../page/", $name)))
    };
}

const FILES: [(&str, &str, &str); 9] = [
    file!("index.html", HTML),
    file!("page.css", CSS),
    file!("app.js", JS),
    file!("account.js", JS),
    file!("consents.js", JS),
    file!("offers.js", JS),
    file!("stream.js", JS),
    file!("talk.js", JS),
    file!("words.js", JS),
];

/// `GET /`
pub(crate) async fn index() -> Response {
    file("index.html").into_response()
}

/// `GET /page/{file}`
pub(crate) async fn part(input::Path(name): input::Path<String>) -> Response {
    file(&name).into_response()
}

type File = ([(HeaderName, &'static str); 2], &'static str);

fn file(name: &str) -> Result<File, ApiError> {
    let found = FILES.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| ApiError::not_found("file of the page"))?;
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)], text))
}
