//! Checks a request as DeepSeek does, in its order: key, content type, syntax, model, numbers, tools,
//! messages, format, size.
//!
//! Invariant: what passes here can be answered, and [`Resolved`] says with what. It does not judge what the
//! script should answer.

mod anthropic;
mod conversation;
mod numbers;
mod responses;
mod strict;
mod tools;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::error::Category;

use crate::{
    headers::Credentials,
    notice::Notice,
    profile::{ApiProfile, ThinkingRule},
    render::Dialect,
    request::{ChatRequest, CompletionRequest, Content, Effort, FormatKind, Message, Resolved, ThinkingMode},
    tokens::Prompt,
};

pub(crate) use anthropic::messages;
pub(crate) use responses::responses;

/// Where a request came in: the rules depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) profile: ApiProfile,
    /// Whether it is the beta path, which can do more.
    pub(crate) beta: bool,
}

/// The most tokens a text completion may have.
const COMPLETION_MAX: u16 = 4096;

/// Checks the `Authorization` header and returns the key.
pub(crate) fn key(authorization: Option<&str>, profile: ApiProfile) -> Result<&str, Notice> {
    let header = authorization.ok_or_else(Notice::no_key)?;
    known(header.strip_prefix("Bearer ").ok_or_else(Notice::not_bearer)?.trim(), profile)
}

/// Checks the key of a request in Anthropic's format: `x-api-key` will do too; `Authorization` goes before it.
pub(crate) fn either_key(credentials: &Credentials, profile: ApiProfile) -> Result<&str, Notice> {
    match (&credentials.authorization, &credentials.api_key) {
        (None, Some(key)) => known(key.trim(), profile),
        (authorization, _) => key(authorization.as_deref(), profile),
    }
}

fn known(key: &str, profile: ApiProfile) -> Result<&str, Notice> {
    match key.strip_prefix("sk-") {
        Some(secret) if !secret.is_empty() => Ok(key),
        _ => Err(Notice::bad_key(key, profile)),
    }
}

/// Checks that the body is said to be JSON; a missing header is let pass.
pub(crate) fn content_type(header: Option<&str>) -> Result<(), Notice> {
    match header {
        Some(value) if value != "application/json" && !value.to_ascii_lowercase().contains("json") => {
            Err(Notice::not_json())
        }
        _ => Ok(()),
    }
}

/// Parses a chat completion request and checks what it asks for.
pub(crate) fn chat(body: &[u8], door: Door) -> Result<ChatRequest, Notice> {
    let mut request: ChatRequest = parse(body, door.profile)?;
    if door.profile == ApiProfile::Y2025 {
        plain_text(&request, body)?;
    }
    resolve(&mut request, door.profile)?;
    numbers::check(&request, door.profile.reply_max())?;
    tools::check(&request, door)?;
    conversation::check(&request, door)?;
    format(&request)?;
    user(&request)?;
    fit(&mut request)?;
    Ok(request)
}

/// Parses a text completion request; it is answered as a conversation that is told otherwise.
pub(crate) fn completion(body: &[u8], door: Door) -> Result<(ChatRequest, Dialect), Notice> {
    if !door.beta {
        return Err(Notice::beta_only("completions api"));
    }
    let request: CompletionRequest = parse(body, door.profile)?;
    let (dialect, logprobs) = (request.dialect(), request.logprobs);
    let mut request = request.into_chat();
    resolve(&mut request, door.profile)?;
    request.resolved.thinks = false;
    numbers::check(&request, COMPLETION_MAX.into())?;
    if logprobs.is_some_and(|count| count > numbers::TOP_LOGPROBS_MAX) {
        return Err(numbers::out_of_range("logprobs", "[0, 20]."));
    }
    user(&request)?;
    fit(&mut request)?;
    request.resolved.budget = request.resolved.budget.map(|budget| budget.min(COMPLETION_MAX.into()));
    Ok((request, dialect))
}

/// Reads JSON. What is wrong with it is told by serde, with the place; in what form depends on the year.
fn parse<T: DeserializeOwned>(body: &[u8], profile: ApiProfile) -> Result<T, Notice> {
    serde_json::from_slice(body).or_else(|_| {
        // Only what cannot be read is read again, to learn the path to it.
        let mut reader = serde_json::Deserializer::from_slice(body);
        let error = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Ok(value) => match reader.end() {
                Ok(()) => return Ok(value),
                Err(error) => (error.classify(), error.to_string()),
            },
            Err(error) => (error.inner().classify(), error.to_string()),
        };
        Err(unreadable(error, profile))
    })
}

/// The old models took text alone. Their parser is asked where the first list stands.
fn plain_text(request: &ChatRequest, body: &[u8]) -> Result<(), Notice> {
    #[derive(Deserialize)]
    struct Old {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        messages: Vec<OldMessage>,
    }

    #[derive(Deserialize)]
    struct OldMessage {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        content: Option<String>,
    }

    if request.messages.iter().all(|message| !matches!(message.content, Some(Content::List(_)))) {
        return Ok(());
    }
    let reader = &mut serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Old>(reader) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string().replacen(".content: ", ": ", 1);
            Err(unreadable((Category::Data, text), ApiProfile::Y2025))
        }
    }
}

fn unreadable((category, error): (Category, String), profile: ApiProfile) -> Notice {
    let (status, message) = match category {
        Category::Data => (422, format!("Failed to deserialize the JSON body into the target type: {error}")),
        _ => (400, format!("Failed to parse the request body as JSON: {error}")),
    };
    match profile {
        ApiProfile::Current => Notice::invalid(&message),
        ApiProfile::Y2025 => Notice::text(status, &message),
    }
}

/// Finds the model and what it will do.
fn resolve(request: &mut ChatRequest, profile: ApiProfile) -> Result<(), Notice> {
    let name = request.base_model();
    let model = profile.models().iter().find(|model| model.name == name);
    let model = model.ok_or_else(|| Notice::invalid(&profile.no_such_model(name)))?;
    let thinks = match model.thinking {
        ThinkingRule::Never => false,
        ThinkingRule::Always => true,
        ThinkingRule::Asked => asks_to_think(request),
    };
    let most = request.reasoning_effort.map(Effort::level) == Some(Effort::Max);
    let asked = request.max_tokens.and_then(|tokens| usize::try_from(tokens).ok());
    request.resolved = Resolved {
        profile,
        model: model.answers_as.to_owned(),
        thinks,
        budget: Some(asked.unwrap_or_else(|| profile.reply_default(thinks, most))),
        prompt: Prompt::default(),
    };
    Ok(())
}

/// Thinking is on unless the request switches it off, in words or by no effort at all.
fn asks_to_think(request: &ChatRequest) -> bool {
    match request.thinking {
        Some(thinking) => thinking.mode == ThinkingMode::Enabled,
        None => request.reasoning_effort.map(Effort::level) != Some(Effort::None),
    }
}

fn format(request: &ChatRequest) -> Result<(), Notice> {
    let says_json = || {
        let texts = request.messages.iter().flat_map(Message::texts);
        texts.map(str::to_ascii_lowercase).any(|text| text.contains("json"))
    };
    match request.response_format.map(|format| format.kind) {
        Some(FormatKind::JsonSchema) => Err(Notice::invalid("This response_format type is unavailable now")),
        Some(FormatKind::JsonObject) if !says_json() => Err(Notice::invalid(
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        )),
        _ => Ok(()),
    }
}

fn user(request: &ChatRequest) -> Result<(), Notice> {
    match request.user_id.as_deref() {
        Some(id) if !is_name(id) => Err(Notice::invalid(
            "Invalid 'user_id': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        )),
        _ => Ok(()),
    }
}

/// Says whether a text matches `^[a-zA-Z0-9_-]+$`.
fn is_name(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(fine)
}

/// Counts the prompt and checks that the reply fits behind it.
fn fit(request: &mut ChatRequest) -> Result<(), Notice> {
    let prompt = Prompt::of(request);
    let (window, said) = (request.resolved.profile.window(), prompt.tokens);
    let reply = request.resolved.budget.unwrap_or_default();
    if said + reply > window {
        return Err(Notice::invalid(&format!(
            "This model's maximum context length is {window} tokens. However, you requested {} tokens ({said} in the messages, {reply} in the completion). Please reduce the length of the messages or completion.",
            said + reply
        )));
    }
    request.resolved.prompt = prompt;
    Ok(())
}

#[cfg(test)]
mod tests;
