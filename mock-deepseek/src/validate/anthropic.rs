//! Requests in Anthropic's Messages format.
//!
//! The rules are those of chat completions, and so is the envelope of errors: what was seen of this path in
//! public has DeepSeek's own, not Anthropic's (musistudio/claude-code-router#881, NousResearch/hermes-agent#21048).

use super::{ChatRequest, Dialect, Door, Notice, conversation, fit, numbers, parse, resolve, tools, user};
use crate::request::MessagesRequest;

/// Parses a request and checks what it asks for.
pub(crate) fn messages(body: &[u8], door: Door) -> Result<(ChatRequest, Dialect), Notice> {
    let request: MessagesRequest = parse(body, door.profile)?;
    let mut request = request.into_chat(door.profile);
    resolve(&mut request, door.profile)?;
    numbers::check(&request, door.profile.reply_max())?;
    tools::check(&request, door)?;
    conversation::order(&request, door)?;
    conversation::thinking_is_sent_back(&request, door, "content[].thinking")?;
    user(&request)?;
    fit(&mut request)?;
    Ok((request, MessagesRequest::dialect()))
}
