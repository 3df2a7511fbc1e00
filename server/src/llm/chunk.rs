//! One chunk of a streamed completion, typed, as far as this server reads it.
//!
//! Unknown fields are skipped; a known field of the wrong type makes the chunk bad. Reasoning is not
//! read at all, so that it can never be shown.

use serde::Deserialize;
use serde_json::Value;

/// What a chunk says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// The end marker.
    Done,
    /// More text, possibly none, and perhaps the finish reason.
    Delta {
        /// The visible text.
        text: String,
        /// Why the model stopped, if it has.
        finish: Option<Finish>,
        /// What the answer costs, if it is told.
        tokens: Option<u64>,
    },
    /// Token counts only: legal, and without text.
    Usage(Option<u64>),
    /// No choice where one was expected.
    NoChoice,
    /// An error in place of a chunk.
    Error(String),
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It reached the length limit.
    Length,
    /// The provider's filter stopped it.
    ContentFilter,
    /// It ran out of resources, or was aborted.
    Overloaded,
}

/// A chunk that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("chunk is not what a completion sends: {0}")]
pub struct Bad(pub String);

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
}

/// Reads the data of one event.
pub fn parse(data: &str) -> Result<Chunk, Bad> {
    let data = data.trim();
    if data == "[DONE]" {
        return Ok(Chunk::Done);
    }
    // Derived readers also take arrays for objects.
    if !data.starts_with('{') {
        return Err(Bad("chunk is no JSON object".to_owned()));
    }
    let wire: Wire = serde_json::from_str(data).map_err(|error| Bad(error.to_string()))?;
    if let Some(error) = wire.error.filter(|error| !error.is_null()) {
        return Ok(Chunk::Error(name_of(&error)));
    }
    let tokens = wire.usage.as_ref().and_then(|usage| usage.get("total_tokens")).and_then(Value::as_u64);
    let Some(choice) = wire.choices.unwrap_or_default().into_iter().next() else {
        let is_usage = wire.usage.is_some_and(|usage| usage.is_object());
        return Ok(if is_usage { Chunk::Usage(tokens) } else { Chunk::NoChoice });
    };
    let finish = choice.finish_reason.as_deref().and_then(finish);
    let text = match (choice.delta, finish) {
        (Some(delta), _) => delta.content.unwrap_or_default(),
        (None, Some(_)) => String::new(),
        (None, None) => return Err(Bad("choice without `delta`".to_owned())),
    };
    Ok(Chunk::Delta { text, finish, tokens })
}

/// An empty finish reason is none: some servers send `""` in every chunk.
fn finish(reason: &str) -> Option<Finish> {
    match reason {
        "" => None,
        "length" => Some(Finish::Length),
        "content_filter" => Some(Finish::ContentFilter),
        "insufficient_system_resource" | "aborted" => Some(Finish::Overloaded),
        _ => Some(Finish::Stop),
    }
}

/// Returns the kind of an error, never its message: a message may quote the prompt.
fn name_of(error: &Value) -> String {
    let kind = error.get("type").or_else(|| error.get("code")).and_then(Value::as_str);
    kind.unwrap_or("error").chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(text: &str, finish: Option<Finish>) -> Chunk {
        Chunk::Delta { text: text.to_owned(), finish, tokens: None }
    }

    #[test]
    fn text_and_finish_are_read() {
        let text = r#"{"choices":[{"index":0,"delta":{"content":"hi","reasoning_content":null}}],"x":1}"#;
        let last = r#"{"choices":[{"delta":{"content":"","role":null},"finish_reason":"stop"}],"usage":{}}"#;

        assert_eq!(parse(text), Ok(delta("hi", None)));
        assert_eq!(parse(last), Ok(delta("", Some(Finish::Stop))));
    }

    #[test]
    fn reasoning_is_never_text() {
        let chunk = r#"{"choices":[{"delta":{"content":null,"reasoning_content":"she asks"}}]}"#;

        assert_eq!(parse(chunk), Ok(delta("", None)));
    }

    #[test]
    fn a_chunk_of_counts_is_legal_and_an_empty_one_is_not() {
        assert_eq!(parse(r#"{"choices":[],"usage":{"total_tokens":3}}"#), Ok(Chunk::Usage(Some(3))));
        assert_eq!(parse(r#"{"choices":[]}"#), Ok(Chunk::NoChoice));
        assert_eq!(parse(r#"{"choices":null}"#), Ok(Chunk::NoChoice));
        assert_eq!(parse(r#"{"choices":[],"usage":null}"#), Ok(Chunk::NoChoice));
    }

    #[test]
    fn what_an_answer_costs_rides_on_its_last_chunk_f109() {
        let last =
            r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}],"usage":{"total_tokens":41}}"#;
        let (text, finish) = (String::new(), Some(Finish::Stop));

        assert_eq!(parse(last), Ok(Chunk::Delta { text, finish, tokens: Some(41) }));
    }

    #[test]
    fn an_error_is_seen_even_beside_choices() {
        let chunk =
            r#"{"error":{"message":"boom","type":"server_error"},"choices":[{"delta":{"content":"x"}}]}"#;

        assert_eq!(parse(chunk), Ok(Chunk::Error("server_error".to_owned())));
    }

    #[test]
    fn wrong_types_and_torn_json_are_bad() {
        for chunk in [
            r#"{"choices":[{"delta":{"content":["a"]}}]}"#,
            r#"{"choices":[{"delta":{"con"#,
            "null",
            ": keep-alive",
            r#"{"choices":[{}]}"#,
            r#"{"choices":{}}"#,
            "[]",
        ] {
            assert!(parse(chunk).is_err(), "{chunk}");
        }
    }

    #[test]
    fn an_empty_finish_reason_is_none() {
        assert_eq!(
            parse(r#"{"choices":[{"delta":{"content":"a"},"finish_reason":""}]}"#),
            Ok(delta("a", None))
        );
    }
}
