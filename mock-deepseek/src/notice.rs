//! Answers that are known at once: refusals with their status, body and wording (DEEPSEEK A2, A4, A7),
//! and the small lists.
//!
//! Invariant: in a refusal `code` is `invalid_request_error` for nearly everything; clients must branch on the
//! status and on `type`.

use serde_json::{Value, json};

/// An answer that is not a reply of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) status: u16,
    /// `None`: the header is left out, as the gateway does.
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: String,
}

impl Notice {
    /// Makes a 200 with this JSON.
    pub(crate) fn ok(body: &Value) -> Self {
        Self { status: 200, content_type: Some("application/json"), body: body.to_string() }
    }

    /// Makes the JSON envelope of an error.
    pub(crate) fn json(status: u16, kind: &str, message: &str) -> Self {
        let error = json!({"message": message, "type": kind, "param": null, "code": "invalid_request_error"});
        Self { status, content_type: Some("application/json"), body: json!({ "error": error }).to_string() }
    }

    /// Makes a 400 of type `invalid_request_error`.
    pub(crate) fn invalid(message: &str) -> Self {
        Self::json(400, "invalid_request_error", message)
    }

    /// Makes an error in the mock's own words, for what no API would say.
    pub(crate) fn own(status: u16, code: &str, message: &str) -> Self {
        let message = format!("mock-deepseek: {message}");
        let error = json!({"message": message, "type": "mock_error", "param": null, "code": code});
        Self { status, content_type: Some("application/json"), body: json!({ "error": error }).to_string() }
    }

    /// The gateway's answer to a request without a key: 31 bytes of text without a content type.
    pub(crate) fn no_key() -> Self {
        Self { status: 401, content_type: None, body: "Authentication Fails (governor)".to_owned() }
    }

    /// The answer to an `Authorization` header that is not `Bearer …`.
    pub(crate) fn not_bearer() -> Self {
        Self::json(
            401,
            "authentication_error",
            "Authentication Fails (auth header format should be Bearer sk-...)",
        )
    }

    /// The answer to a key that is not known; its last four characters are echoed.
    pub(crate) fn bad_key(key: &str) -> Self {
        let tail: String = key.chars().skip(key.chars().count().saturating_sub(4)).collect();
        let message = format!("Authentication Fails, Your api key: ****{tail} is invalid");
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

    /// The answer to a body over the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("Failed to buffer the request body: length limit exceeded ({limit} bytes)");
        Self::json(413, "invalid_request_error", &message)
    }

    /// The answer to a content type that is not JSON.
    pub(crate) fn not_json() -> Self {
        let body = "Expected request with `Content-Type: application/json`".to_owned();
        Self { status: 415, content_type: Some("text/plain; charset=utf-8"), body }
    }
}
