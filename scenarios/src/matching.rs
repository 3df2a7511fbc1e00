//! Whether an event is what a matcher speaks of.

use std::collections::BTreeMap;

use mock_deepseek::{Exchange, How};
use serde_json::Value;

use crate::{
    expr::Settings,
    model::{Ending, FrameMatch, HttpMatch, SocketMatch, UpstreamMatch},
    record::{Answer, Frame, What},
};

/// Returns whether a frame that `device` received matches.
pub(crate) fn frame(wanted: &FrameMatch, device: &str, frame: &Frame) -> bool {
    let text = frame.text();
    is_device(wanted.device.as_deref(), device)
        && is(wanted.r#type.as_deref(), frame.field("type"))
        && is(wanted.kind.as_deref(), frame.field("kind"))
        && is(wanted.code.as_deref(), frame.field("code"))
        && is(wanted.action.as_deref(), frame.field("action"))
        && is(wanted.text.as_deref(), text)
        && wanted.contains.as_deref().is_none_or(|part| text.contains(part))
        && wanted.matches.as_deref().is_none_or(|pattern| fits(pattern, text))
        && wanted.answer.as_deref().is_none_or(|answer| frame.answer.as_deref() == Some(answer))
        && has_values(&wanted.json, &frame.json)
        && wanted.has.iter().all(|pointer| frame.json.pointer(pointer).is_some())
}

/// Returns whether an exchange with the model matches.
pub(crate) fn upstream(wanted: &UpstreamMatch, exchange: &Exchange, settings: &Settings) -> bool {
    let prompt = prompt(exchange);
    let holds = |part: &str| prompt.iter().any(|(_, content)| content.contains(part));
    let spoken = prompt.iter().filter(|(role, _)| role != "system").count();
    let times = |text: &str| prompt.iter().map(|(_, content)| content.matches(text).count()).sum::<usize>();
    exchange.path.ends_with("/chat/completions")
        && wanted.contains.as_deref().is_none_or(holds)
        && wanted.lacks.as_deref().is_none_or(|part| !holds(part))
        && wanted.last.as_deref().is_none_or(|last| prompt.last().is_some_and(|(_, content)| content == last))
        && wanted.times.iter().all(|(text, n)| times(text) == *n)
        && stand_in_order(&wanted.in_order, &prompt)
        && wanted.messages.as_ref().is_none_or(|n| n.count(settings) == Ok(spoken as u64))
        && wanted
            .has
            .iter()
            .all(|pointer| exchange.json.as_ref().is_some_and(|json| json.pointer(pointer).is_some()))
        && wanted.ended.is_none_or(|ending| ending == end_of(exchange))
        && wanted
            .fault
            .as_ref()
            .is_none_or(|id| exchange.faults.iter().any(|fault| fault.fired && *id == fault.id))
}

/// Returns whether texts stand in the messages of a prompt one after the other.
fn stand_in_order(texts: &[String], prompt: &[(String, String)]) -> bool {
    let mut messages = prompt.iter();
    texts.iter().all(|text| messages.any(|(_, content)| content.contains(text)))
}

/// Returns whether the answer to a REST call matches.
pub(crate) fn http(wanted: &HttpMatch, answer: &Answer) -> bool {
    is(wanted.step.as_deref(), &answer.step)
        && wanted.status.is_none_or(|status| status == answer.status)
        && has_values(&wanted.json, &answer.body)
        && wanted.length.iter().all(|(pointer, length)| {
            answer.body.pointer(pointer).and_then(Value::as_array).is_some_and(|array| array.len() == *length)
        })
        && wanted.has.iter().all(|pointer| answer.body.pointer(pointer).is_some())
        && wanted.contains.as_deref().is_none_or(|part| answer.body.to_string().contains(part))
        && wanted.headers.iter().all(|name| answer.headers.iter().any(|(header, _)| header == name))
}

/// Returns whether something that happened to a socket matches.
pub(crate) fn socket(wanted: &SocketMatch, device: &str, what: &What) -> bool {
    if !is_device(wanted.device.as_deref(), device) {
        return false;
    }
    match (what, wanted.refused, wanted.closed) {
        (What::Opened, None, None) => !wanted.pong,
        (What::Pong, None, None) => wanted.pong,
        (What::Refused(status), Some(wanted), None) => *status == wanted,
        (What::Closed { code, by_client: false }, None, Some(wanted)) => *code == wanted,
        _ => false,
    }
}

/// Returns role and text of the messages that the model was sent.
pub(crate) fn prompt(exchange: &Exchange) -> Vec<(String, String)> {
    let messages = exchange.json.as_ref().and_then(|json| json.get("messages")).and_then(Value::as_array);
    let text =
        |message: &Value, key: &str| message.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    messages.into_iter().flatten().map(|message| (text(message, "role"), text(message, "content"))).collect()
}

/// Returns how an exchange ended.
pub(crate) fn end_of(exchange: &Exchange) -> Ending {
    match exchange.end.as_ref().map(|end| &end.how) {
        None => Ending::Open,
        Some(How::Completed) => Ending::Completed,
        Some(How::Cut) => Ending::Cut,
        Some(How::ClientHungUp) => Ending::ClientHungUp,
    }
}

fn is(wanted: Option<&str>, found: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn is_device(wanted: Option<&str>, device: &str) -> bool {
    wanted.is_none_or(|wanted| {
        device == wanted || device.split_once('.').is_some_and(|(user, _)| user == wanted)
    })
}

fn fits(pattern: &str, text: &str) -> bool {
    regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
}

fn has_values(wanted: &BTreeMap<String, toml::Value>, json: &Value) -> bool {
    wanted.iter().all(|(pointer, value)| {
        let wanted = serde_json::to_value(value).unwrap_or_default();
        json.pointer(pointer).is_some_and(|found| same(found, &wanted))
    })
}

/// Numbers are compared as numbers: `1` and `1.0` are the same.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < f64::EPSILON,
        _ => found == wanted,
    }
}
