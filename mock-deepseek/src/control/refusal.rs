//! The one form of errors: `{"error": {"code", "message", "hint"}}`.

use axum::{
    Json,
    extract::{
        MatchedPath,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{CONTROL_BODY_MAX, ROUTES};
use crate::{
    catalogue::nearest,
    misread::{self, Misread},
};

/// Why a request was not done, and what to do about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
    /// What some refusals tell beside the error.
    more: Vec<(&'static str, Value)>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { status, code, message: message.into(), hint: hint.into(), more: Vec::new() }
    }

    /// A body or a query that cannot be read.
    pub(crate) fn unreadable(code: &'static str, error: &impl ToString, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string(), hint)
    }

    /// A body that should be JSON of some form.
    pub(crate) fn misread(
        code: &'static str,
        body: &[u8],
        error: &serde_json::Error,
        hint: impl Into<String>,
    ) -> Self {
        Self::unreadable(code, &Misread::json(&String::from_utf8_lossy(body), error), hint)
    }

    /// Something that is not here.
    pub(crate) fn missing(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message, hint)
    }

    /// Something that the state of the mock does not allow.
    pub(crate) fn conflict(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message, hint)
    }

    /// Tells something beside the error.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.more.push((name, value.into()));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body: Map<_, _> =
            self.more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let error = json!({"code": self.code, "message": self.message, "hint": self.hint});
        body.insert("error".to_owned(), error);
        (self.status, Json(Value::Object(body))).into_response()
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        let hint = format!("a body may have {CONTROL_BODY_MAX} bytes");
        Self::new(rejection.status(), "bad_body", rejection.body_text(), hint)
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        let said = rejection.body_text();
        let message = said.strip_prefix("Failed to deserialize query string: ").unwrap_or(&said);
        let filters = "the filters are `path`, `rule`, `fault`, `since`, `limit` and `detail`";
        let hint = match misread::meant(message) {
            Some(guess) => format!("{guess} {filters}"),
            None => filters.to_owned(),
        };
        Self::unreadable("bad_query", &message, hint)
    }
}

/// Names the path that is nearest to one that does not exist.
pub(crate) async fn unknown_path(uri: Uri) -> Refusal {
    let path = uri.path();
    let hint = match nearest(path, ROUTES.iter().map(|(path, _)| *path)) {
        Some(near) => format!("did you mean `{near}`? `/__mock/openapi.json` describes all"),
        None => {
            "`/__mock/openapi.json` describes all paths; the API itself listens on another port".to_owned()
        }
    };
    Refusal::missing("unknown_path", format!("there is no `{path}`"), hint)
}

/// Names the methods that a path has.
pub(crate) async fn wrong_method(method: Method, uri: Uri, matched: Option<MatchedPath>) -> Refusal {
    let matched = matched.as_ref().map_or(uri.path(), MatchedPath::as_str);
    let known =
        ROUTES.iter().find(|(path, _)| *path == matched).map_or(&[Method::GET][..], |(_, known)| known);
    let known: Vec<_> = known.iter().map(|method| format!("`{method}`")).collect();
    let message = format!("`{}` cannot be asked with `{method}`", uri.path());
    let hint = format!("use {}", known.join(" or "));
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message, hint)
}
