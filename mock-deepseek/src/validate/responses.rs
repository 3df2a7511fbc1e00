//! Requests in OpenAI's Responses format.
//!
//! The rules are those of chat completions, but for what this form does not support, which is ignored, and for
//! `json_schema`, which it takes.

use super::{ChatRequest, Dialect, Door, Notice, conversation, fit, format, numbers, parse, resolve, tools};
use crate::request::ResponsesRequest;

/// Parses a request and checks what it asks for.
pub(crate) fn responses(body: &[u8], door: Door) -> Result<(ChatRequest, Dialect), Notice> {
    let request: ResponsesRequest = parse(body, door.profile)?;
    let (mut request, dialect) = request.into_chat();
    resolve(&mut request, door.profile)?;
    numbers::check(&request, door.profile.reply_max())?;
    tools::check(&request, door)?;
    conversation::order(&request, door)?;
    conversation::thinking_is_sent_back(&request, door, "reasoning_text")?;
    format(&request)?;
    fit(&mut request)?;
    Ok((request, dialect))
}
