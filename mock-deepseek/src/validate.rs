//! Checks a request as DeepSeek does, in its order: key, content type, syntax, model, ranges.
//!
//! Invariant: what passes here can be answered. It does not judge what the script should answer.

use crate::{notice::Notice, request::ChatRequest};

/// The most tokens a reply may have (DEEPSEEK A4; 8192 before 2026).
const MAX_TOKENS_MAX: i64 = 393_216;

/// Checks the `Authorization` header and returns the key.
pub(crate) fn key(authorization: Option<&str>) -> Result<&str, Notice> {
    let header = authorization.ok_or_else(Notice::no_key)?;
    let key = header.strip_prefix("Bearer ").ok_or_else(Notice::not_bearer)?.trim();
    match key.strip_prefix("sk-") {
        Some(secret) if !secret.is_empty() => Ok(key),
        _ => Err(Notice::bad_key(key)),
    }
}

/// Checks that the body is said to be JSON; a missing header is let pass.
pub(crate) fn content_type(header: Option<&str>) -> Result<(), Notice> {
    match header {
        Some(value) if !value.to_ascii_lowercase().contains("json") => Err(Notice::not_json()),
        _ => Ok(()),
    }
}

/// Parses a chat completion request and checks what it asks for.
pub(crate) fn chat(body: &[u8]) -> Result<ChatRequest, Notice> {
    let request: ChatRequest = serde_json::from_slice(body).map_err(|error| {
        Notice::invalid(&format!("Failed to deserialize the JSON body into the target type: {error}"))
    })?;
    if !request.base_model().starts_with("deepseek-") {
        return Err(Notice::invalid("Model Not Exist"));
    }
    if request.messages.is_empty() {
        return Err(Notice::invalid("Empty input messages"));
    }
    if request.max_tokens.is_some_and(|tokens| !(1..=MAX_TOKENS_MAX).contains(&tokens)) {
        return Err(out_of_range("max_tokens", &format!("[1, {MAX_TOKENS_MAX}]")));
    }
    if request.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
        return Err(out_of_range("temperature", "[0, 2]"));
    }
    Ok(request)
}

fn out_of_range(field: &str, range: &str) -> Notice {
    Notice::invalid(&format!("Invalid {field} value, the valid range of {field} is {range}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> (u16, String) {
        let notice = chat(body.as_bytes()).unwrap_err();
        let json: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        (notice.status, json["error"]["message"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_missing_key_is_31_bytes_of_text_without_a_type_m2() {
        let notice = key(None).unwrap_err();

        assert_eq!((notice.status, notice.content_type, notice.body.len()), (401, None, 31));
    }

    #[test]
    fn a_bad_key_is_echoed_by_its_last_four_characters_m2() {
        let notice = key(Some("Bearer nonsense-cd15")).unwrap_err();

        insta::assert_snapshot!(notice.body, @r#"{"error":{"message":"Authentication Fails, Your api key: ****cd15 is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
    }

    #[test]
    fn any_key_of_the_right_form_is_good() {
        assert_eq!(key(Some("Bearer sk-test")), Ok("sk-test"));
        assert_eq!(key(Some("Basic abc")).unwrap_err().status, 401);
        assert_eq!(key(Some("Bearer sk-")).unwrap_err().status, 401);
    }

    #[test]
    fn each_rule_has_its_own_wording_m2() {
        let cases = [
            (
                "{",
                "Failed to deserialize the JSON body into the target type: EOF while parsing an object at line 1 column 1",
            ),
            (
                r#"{"model":"deepseek-flash"}"#,
                "Failed to deserialize the JSON body into the target type: missing field `messages` at line 1 column 26",
            ),
            (r#"{"model":"gpt","messages":[{"role":"user"}]}"#, "Model Not Exist"),
            (r#"{"model":"deepseek-flash","messages":[]}"#, "Empty input messages"),
            (
                r#"{"model":"deepseek-flash","messages":[{"role":"user"}],"max_tokens":0}"#,
                "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]",
            ),
            (
                r#"{"model":"deepseek-flash","messages":[{"role":"user"}],"temperature":3}"#,
                "Invalid temperature value, the valid range of temperature is [0, 2]",
            ),
        ];

        for (body, message) in cases {
            assert_eq!(refusal(body), (400, message.to_owned()), "{body}");
        }
    }

    #[test]
    fn the_developer_role_is_an_unknown_variant_m2() {
        let (_, message) = refusal(r#"{"model":"deepseek-flash","messages":[{"role":"developer"}]}"#);

        assert!(
            message.contains("unknown variant `developer`, expected one of `system`, `user`"),
            "{message}"
        );
    }

    #[test]
    fn a_body_that_is_not_json_by_its_type_is_refused() {
        assert_eq!(content_type(Some("text/plain")).unwrap_err().status, 415);
        assert_eq!(content_type(Some("application/json; charset=utf-8")), Ok(()));
    }
}
