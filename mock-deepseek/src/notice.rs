//! Answers that are known at once: refusals with their status, body and wording (DEEPSEEK A2, A4, A7),
//! and the small lists.
//!
//! Invariant: in a refusal `code` is `invalid_request_error` for nearly everything; clients must branch on the
//! status and on `type`. Where a wording was never seen in public, it is ours in the manner of the others.

use serde_json::{Value, json};

use crate::profile::ApiProfile;

/// An answer that is not a reply of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) status: u16,
    /// `None`: the header is left out, as the gateway does.
    pub(crate) content_type: Option<&'static str>,
    said: Said,
}

/// What a notice holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// Exactly this.
    Plain(String),
    /// The envelope of an error.
    Error { kind: &'static str, message: String },
}

const JSON: Option<&str> = Some("application/json");
const TEXT: Option<&str> = Some("text/plain; charset=utf-8");

impl Notice {
    /// Renders the body. Messages of errors end with the id of the request where there is one.
    pub(crate) fn body(&self, request_id: Option<&str>) -> String {
        match &self.said {
            Said::Plain(text) => text.clone(),
            Said::Error { kind, message } => {
                let message = match request_id {
                    Some(id) => format!("{message} (request_id: {id})"),
                    None => message.clone(),
                };
                let code = "invalid_request_error";
                let error = json!({"message": message, "type": kind, "param": null, "code": code});
                json!({ "error": error }).to_string()
            }
        }
    }

    /// Makes a 200 with this JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self { status: 200, content_type: JSON, said: Said::Plain(body.to_string()) }
    }

    /// Makes a 200 with this text, which is JSON.
    pub(crate) fn done(json: String) -> Self {
        Self { status: 200, content_type: JSON, said: Said::Plain(json) }
    }

    /// Makes a 200 with this HTML: the mock's own page, which DeepSeek does not have.
    pub(crate) fn page(html: String) -> Self {
        Self { status: 200, content_type: Some("text/html; charset=utf-8"), said: Said::Plain(html) }
    }

    /// Makes the JSON envelope of an error.
    pub(crate) fn json(status: u16, kind: &'static str, message: &str) -> Self {
        Self { status, content_type: JSON, said: Said::Error { kind, message: message.to_owned() } }
    }

    /// Makes an error of nothing but text.
    pub(crate) fn text(status: u16, message: &str) -> Self {
        Self { status, content_type: TEXT, said: Said::Plain(message.to_owned()) }
    }

    /// Makes a 400 of type `invalid_request_error`.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::json(400, "invalid_request_error", message)
    }

    /// Makes an error in the mock's own words, for what no API would say.
    pub(crate) fn own(status: u16, code: &str, message: &str) -> Self {
        let message = format!("mock-deepseek: {message}");
        let error = json!({"message": message, "type": "mock_error", "param": null, "code": code});
        Self { status, content_type: JSON, said: Said::Plain(json!({ "error": error }).to_string()) }
    }

    /// The gateway's answer to a request without a key: 31 bytes of text without a content type.
    pub(crate) fn no_key() -> Self {
        Self { content_type: None, ..Self::text(401, "Authentication Fails (governor)") }
    }

    /// The answer to an `Authorization` header that is not `Bearer …`.
    pub(crate) fn not_bearer() -> Self {
        Self::json(
            401,
            "authentication_error",
            "Authentication Fails (auth header format should be Bearer sk-...)",
        )
    }

    /// The answer to a key that is not known. Today its last four characters are echoed.
    pub(crate) fn bad_key(key: &str, profile: ApiProfile) -> Self {
        let message = match profile {
            ApiProfile::Y2025 => "Authentication Fails (no such user)".to_owned(),
            ApiProfile::Current => {
                let tail: String = key.chars().skip(key.chars().count().saturating_sub(4)).collect();
                format!("Authentication Fails, Your api key: ****{tail} is invalid")
            }
        };
        Self::json(401, "authentication_error", &message)
    }

    /// The answer to a path that does not exist.
    pub(crate) fn no_such_path(path: &str) -> Self {
        Self::json(404, "invalid_request_error", &format!("Not Found: {path}"))
    }

    /// The answer to a wrong method on a known path.
    pub(crate) fn wrong_method(method: &str) -> Self {
        Self::json(405, "invalid_request_error", &format!("Method Not Allowed: {method}"))
    }

    /// The answer to something that only the beta path can do.
    pub(crate) fn beta_only(what: &str) -> Self {
        Self::invalid(&format!(
            "{what} is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")"
        ))
    }

    /// The answer to a body over the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("Failed to buffer the request body: length limit exceeded ({limit} bytes)");
        Self::json(413, "invalid_request_error", &message)
    }

    /// The answer to a content type that is not JSON.
    pub(crate) fn not_json() -> Self {
        Self::text(415, "Expected request with `Content-Type: application/json`")
    }
}
