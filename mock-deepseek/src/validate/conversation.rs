//! The messages: who may follow whom, and what must be sent back.

use std::collections::HashSet;

use super::{Door, Notice};
use crate::{
    profile::ApiProfile,
    request::{ChatRequest, Message, Role},
};

pub(super) fn check(request: &ChatRequest, door: Door) -> Result<(), Notice> {
    order(request, door)?;
    thinking_is_sent_back(request, door, "reasoning_content")
}

/// Checks who follows whom.
pub(super) fn order(request: &ChatRequest, door: Door) -> Result<(), Notice> {
    let messages = &request.messages;
    if messages.is_empty() {
        return Err(Notice::invalid("Empty input messages"));
    }
    if door.profile == ApiProfile::Y2025 && request.resolved.thinks {
        alternates(messages)?;
    }
    prefix(messages, door)?;
    calls_are_answered(messages)
}

/// Checks that what was thought before a call is there again, under the name that this form of the API has for it.
pub(super) fn thinking_is_sent_back(request: &ChatRequest, door: Door, name: &str) -> Result<(), Notice> {
    let forgets = |message: &Message| !message.calls().is_empty() && message.reasoning_content.is_none();
    let must = door.profile == ApiProfile::Current && request.resolved.thinks;
    if must && request.messages.iter().any(forgets) {
        return Err(Notice::invalid(&format!(
            "The `{name}` in the thinking mode must be passed back to the API."
        )));
    }
    Ok(())
}

/// The old reasoner wanted users and assistants to take turns, and a user (or a prefix) at the end.
fn alternates(messages: &[Message]) -> Result<(), Notice> {
    let speaks = |message: &Message| matches!(message.role, Role::User | Role::Assistant);
    let twice = messages.windows(2).position(|pair| speaks(&pair[0]) && pair[0].role == pair[1].role);
    if let Some(index) = twice {
        let next = index + 1;
        return Err(Notice::invalid(&format!(
            "deepseek-reasoner does not support successive user or assistant messages (messages[{index}] and messages[{next}] in your input). You should interleave the user/assistant messages in the message sequence."
        )));
    }
    match messages.last() {
        Some(last) if last.role == Role::User || last.prefix == Some(true) => Ok(()),
        _ => Err(Notice::invalid(
            "The last message of deepseek-reasoner must be a user message, or an assistant message with prefix mode on (refer to https://api-docs.deepseek.com/guides/chat_prefix_completion).",
        )),
    }
}

fn prefix(messages: &[Message], door: Door) -> Result<(), Notice> {
    let Some(index) = messages.iter().position(|message| message.prefix == Some(true)) else { return Ok(()) };
    if !door.beta {
        return Err(Notice::beta_only("prefix"));
    }
    if index + 1 < messages.len() || messages[index].role != Role::Assistant {
        return Err(Notice::invalid(
            "prefix is only available on the last message, which must be an assistant message",
        ));
    }
    Ok(())
}

fn calls_are_answered(messages: &[Message]) -> Result<(), Notice> {
    let mut index = 0;
    while let Some(message) = messages.get(index) {
        match message.role {
            Role::Tool => {
                return Err(Notice::invalid(
                    "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
                ));
            }
            Role::Assistant if message.content.is_none() && message.tool_calls.is_none() => {
                return Err(Notice::invalid("Invalid assistant message: content or tool_calls must be set"));
            }
            Role::Assistant if message.tool_calls.is_some() => index += 1 + answers(messages, index)?,
            _ => index += 1,
        }
    }
    Ok(())
}

/// Checks that the calls of the message at `index` are answered at once, each one time; returns how many there are.
fn answers(messages: &[Message], index: usize) -> Result<usize, Notice> {
    const MUST: &str = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.";
    let calls = messages[index].calls();
    if calls.is_empty() {
        return Err(Notice::invalid(&format!(
            "Invalid 'messages[{index}].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )));
    }
    let twice = |id: &str, index| {
        Notice::invalid(&format!("Duplicate value for 'tool_call_id' of {id} in message[{index}]"))
    };
    let mut open = HashSet::new();
    for call in calls {
        if !open.insert(call.id.as_str()) {
            return Err(twice(&call.id, index));
        }
    }
    let known = open.clone();
    for at in index + 1..=index + calls.len() {
        let answer = messages.get(at).filter(|message| message.role == Role::Tool);
        let answer = answer.ok_or_else(|| {
            Notice::invalid(&format!("{MUST} (insufficient tool messages following tool_calls message)"))
        })?;
        let id = answer.tool_call_id.as_deref().unwrap_or_default();
        if !known.contains(id) {
            return Err(Notice::invalid(&format!("{MUST} Unexpected tool_call_id: {id}")));
        }
        if !open.remove(id) {
            return Err(twice(id, at));
        }
    }
    Ok(calls.len())
}
