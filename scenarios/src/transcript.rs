//! One ordered story of what the devices, the REST calls and the model saw.
//!
//! Lines are ordered by time, actor and sequence, and names that differ from run to run are replaced,
//! so that two runs with the same seed give the same bytes.

use std::collections::HashMap;

use clock::Instant;
use mock_deepseek::Exchange;
use serde_json::{Value, json};

use crate::{
    matching::{self, prompt},
    model::Ending,
    record::{Event, What},
    redact::Redactor,
    result::{Line, LineKind},
};

/// Longest text of a line, in characters.
const LINE_CHARACTERS: usize = 160;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// The event at this place of the record.
    Event(usize),
    /// The arrival of this exchange.
    Exchange(usize),
    /// Its end.
    ExchangeEnd(usize),
}

/// The lines and where each comes from.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) lines: Vec<Line>,
    places: HashMap<Origin, usize>,
}

impl Transcript {
    pub(crate) fn new(began: Instant, events: &[Event], exchanges: &[Exchange]) -> Self {
        let mut drafts: Vec<(Origin, Line)> = Vec::new();
        for (n, event) in events.iter().enumerate() {
            drafts.push((Origin::Event(n), event_line(began, event)));
        }
        for (n, exchange) in exchanges.iter().enumerate() {
            drafts.push((Origin::Exchange(n), request_line(began, exchange)));
            drafts.extend(end_line(began, exchange).map(|line| (Origin::ExchangeEnd(n), line)));
        }
        // Requests that arrive at one instant have no order of their own: their texts order them.
        drafts.sort_by(|(_, a), (_, b)| {
            (a.at_us, &a.actor).cmp(&(b.at_us, &b.actor)).then_with(|| match a.actor.as_str() {
                "llm" => (a.kind as u8, &a.text).cmp(&(b.kind as u8, &b.text)),
                _ => std::cmp::Ordering::Equal,
            })
        });
        let places = drafts.iter().enumerate().map(|(place, (origin, _))| (*origin, place)).collect();
        let mut redactor = Redactor::default();
        let lines = drafts.into_iter().map(|(_, line)| redactor.line(line)).collect();
        Self { lines, places }
    }

    /// Returns the places of the lines of these origins, in order.
    pub(crate) fn places(&self, origins: &[Origin]) -> Vec<usize> {
        let mut places: Vec<_> =
            origins.iter().filter_map(|origin| self.places.get(origin).copied()).collect();
        places.sort_unstable();
        places
    }
}

fn micros(began: Instant, at: Instant) -> u64 {
    u64::try_from(at.since(began).as_micros()).unwrap_or(u64::MAX)
}

fn event_line(began: Instant, event: &Event) -> Line {
    let (kind, text, data) = match &event.what {
        What::Opened => (LineKind::Socket, "socket open".to_owned(), None),
        What::Refused(status) => (LineKind::Socket, format!("upgrade refused with {status}"), None),
        What::Closed { code, by_client: true } => (LineKind::Socket, format!("hung up ({code})"), None),
        What::Closed { code, by_client: false } => {
            (LineKind::Socket, format!("closed by the server ({code})"), None)
        }
        What::Sent(text) => (LineKind::Sent, format!("says “{}”", shorten(text)), None),
        What::SentRaw(text) => (LineKind::Sent, format!("sends the frame {}", shorten(text)), None),
        What::Frame(frame) => (LineKind::Frame, frame_text(frame), Some(frame.json.clone())),
        What::Http(answer) => {
            let text = format!("{} → {}", answer.call, answer.status);
            (LineKind::Http, text, Some(answer.body.clone()))
        }
        What::Advanced => (LineKind::Clock, "time has passed".to_owned(), None),
        What::Mark { name, .. } => (LineKind::Note, format!("mark `{name}`"), None),
        What::Note(text) => (LineKind::Note, text.clone(), None),
    };
    Line { at_us: micros(began, event.at), actor: event.actor.clone(), kind, text, data }
}

fn frame_text(frame: &crate::record::Frame) -> String {
    let words = [frame.field("type"), frame.field("kind"), frame.field("code"), frame.field("finish")];
    let head = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match frame.field("content") {
        "" => head,
        text => format!("{head} “{}”", shorten(text)),
    }
}

fn request_line(began: Instant, exchange: &Exchange) -> Line {
    let messages = prompt(exchange);
    let last = messages.last().map(|(_, content)| shorten(content)).unwrap_or_default();
    let text = format!("{} with {} messages, last “{last}”", exchange.path, messages.len());
    let messages: Vec<_> =
        messages.iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
    Line {
        at_us: micros(began, exchange.at),
        actor: "llm".to_owned(),
        kind: LineKind::Upstream,
        text,
        data: Some(Value::Array(messages)),
    }
}

fn end_line(began: Instant, exchange: &Exchange) -> Option<Line> {
    let end = exchange.end.as_ref()?;
    let how = match matching::end_of(exchange) {
        Ending::Completed => "answered",
        Ending::Cut => "cut the connection",
        Ending::ClientHungUp => "client hung up",
        Ending::Open => "open",
    };
    let faults: Vec<_> = exchange.faults.iter().filter(|fault| fault.fired).map(|fault| fault.id).collect();
    let with = if faults.is_empty() { String::new() } else { format!(" with {}", faults.join(", ")) };
    Some(Line {
        at_us: micros(began, end.at),
        actor: "llm".to_owned(),
        kind: LineKind::UpstreamEnd,
        text: format!("{how}{with} after {} events", exchange.events),
        data: None,
    })
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
