//! Which events an expectation or a wait speaks of, in words that follow `no`, `exactly 10` or `each`.

use std::collections::BTreeMap;

use super::{amount, listed, owner, plain, quoted};
use crate::model::{Ending, FrameMatch, HttpMatch, MetricMatch, SocketMatch, Subject, UpstreamMatch};

/// Returns what a subject is.
pub(crate) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Frame(wanted) => frame(wanted),
        Subject::Upstream(wanted) => upstream(wanted),
        Subject::Http(wanted) => http(wanted),
        Subject::Socket(wanted) => socket(wanted),
        Subject::Metric(wanted) => metric(wanted),
        Subject::Log(wanted) => format!("a line of the log with {}", quoted(&wanted.contains)),
    }
}

/// Returns what a frame is.
pub(super) fn frame(wanted: &FrameMatch) -> String {
    let what = match wanted.r#type.as_deref() {
        Some("message") => "a text".to_owned(),
        Some("done") => "the end of a turn".to_owned(),
        Some("error") => "an error".to_owned(),
        Some("calendar") => "a suggestion for the calendar".to_owned(),
        Some(other) => format!("a frame `{other}`"),
        None => "a frame".to_owned(),
    };
    let whose = wanted.device.as_ref().map(|device| format!(" for {}", owner(device))).unwrap_or_default();
    let named = |name: &str, value: &Option<String>| value.as_ref().map(|it| format!("{name} `{it}`"));
    let said = |name: &str, value: &Option<String>| value.as_ref().map(|it| format!("{name} {}", quoted(it)));
    let mut with: Vec<String> = [
        named("the kind", &wanted.kind),
        named("the code", &wanted.code),
        named("the offer to", &wanted.action),
        said("the text", &wanted.text),
        said("a text that holds", &wanted.contains),
        named("a text like", &wanted.matches),
        said("the whole answer", &wanted.answer),
    ]
    .into_iter()
    .flatten()
    .collect();
    with.extend(values(&wanted.json));
    with.extend(wanted.has.iter().map(|pointer| format!("a value {}", place(pointer))));
    what + &whose + &having(&with)
}

/// Returns what a request to the model is.
pub(super) fn upstream(wanted: &UpstreamMatch) -> String {
    let mut with: Vec<String> = Vec::new();
    with.extend(wanted.contains.as_ref().map(|text| format!("{} in its prompt", quoted(text))));
    with.extend(wanted.lacks.as_ref().map(|text| format!("no {} in its prompt", quoted(text))));
    with.extend(wanted.last.as_ref().map(|text| format!("{} as its last message", quoted(text))));
    with.extend(wanted.times.iter().map(|(text, n)| format!("{} {n} times in its prompt", quoted(text))));
    if !wanted.in_order.is_empty() {
        let texts: Vec<_> = wanted.in_order.iter().map(|text| quoted(text)).collect();
        with.push(format!("{} in this order", listed(&texts)));
    }
    with.extend(wanted.messages.as_ref().map(|count| format!("{} messages", amount(count))));
    with.extend(wanted.has.iter().map(|pointer| format!("a value {}", place(pointer))));
    with.extend(wanted.fault.as_ref().map(|fault| format!("the fault `{fault}` in its answer")));
    let end = match wanted.ended {
        None => "",
        Some(Ending::Completed) => ", answered to its end",
        Some(Ending::Cut) => ", cut off by the model",
        Some(Ending::ClientHungUp) => ", given up by the server",
        Some(Ending::Open) => ", still open",
    };
    format!("a request to the model{}{end}", having(&with))
}

fn http(wanted: &HttpMatch) -> String {
    let what = match &wanted.step {
        Some(step) => format!("an answer to the call `{step}`"),
        None => "an answer of the REST API".to_owned(),
    };
    let mut with: Vec<String> = Vec::new();
    with.extend(wanted.status.map(|status| format!("the status {status}")));
    with.extend(values(&wanted.json));
    with.extend(wanted.length.iter().map(|(pointer, n)| format!("{n} entries {}", place(pointer))));
    with.extend(wanted.has.iter().map(|pointer| format!("a value {}", place(pointer))));
    with.extend(wanted.contains.as_ref().map(|text| format!("{} in its body", quoted(text))));
    with.extend(wanted.headers.iter().map(|name| format!("the header `{name}`")));
    what + &having(&with)
}

fn socket(wanted: &SocketMatch) -> String {
    let whose = wanted.device.as_ref().map(|device| format!(" of {}", owner(device))).unwrap_or_default();
    match (wanted.refused, wanted.closed) {
        (Some(status), _) => format!("a connection{whose} that is refused with {status}"),
        (None, Some(code)) => format!("a connection{whose} that the server closes with {code}"),
        (None, None) => format!("a connection{whose} that opens"),
    }
}

fn metric(wanted: &MetricMatch) -> String {
    let labels: Vec<_> = wanted.labels.iter().map(|(name, value)| format!("`{name}` = `{value}`")).collect();
    format!("a count of the metric `{}`{}", wanted.name, having(&labels))
}

fn values(json: &BTreeMap<String, toml::Value>) -> impl Iterator<Item = String> + '_ {
    json.iter().map(|(pointer, value)| format!("{} {}", plain(value), place(pointer)))
}

/// Returns where a JSON pointer points; an empty one means the whole.
fn place(pointer: &str) -> String {
    if pointer.is_empty() { "in all".to_owned() } else { format!("at `{pointer}`") }
}

fn having(with: &[String]) -> String {
    if with.is_empty() { String::new() } else { format!(" with {}", listed(with)) }
}
