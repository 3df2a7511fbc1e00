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
        let steps = Steps::of(events);
        let mut drafts: Vec<(usize, Origin, Line)> = Vec::new();
        for (n, event) in events.iter().enumerate() {
            let line = event_line(began, event);
            drafts.extend(line.map(|line| (steps.of_event(n), Origin::Event(n), line)));
        }
        for (n, exchange) in exchanges.iter().enumerate() {
            drafts.push((steps.of_request(n), Origin::Exchange(n), request_line(began, exchange)));
            let end = end_line(began, exchange);
            drafts.extend(end.map(|line| (steps.of_end(n), Origin::ExchangeEnd(n), line)));
        }
        // What happens at one instant of one step is ordered by what it is, then by who saw it. Requests
        // that arrive at one instant have no order of their own: their texts order them.
        drafts.sort_by(|(step_a, _, a), (step_b, _, b)| {
            let rank = |line: &Line| (line.at_us, place_of(line.kind));
            (step_a, rank(a)).cmp(&(step_b, rank(b))).then_with(|| a.actor.cmp(&b.actor)).then_with(
                || match a.actor.as_str() {
                    "llm" => a.text.cmp(&b.text),
                    _ => std::cmp::Ordering::Equal,
                },
            )
        });
        let places = drafts.iter().enumerate().map(|(place, (_, origin, _))| (*origin, place)).collect();
        let mut redactor = Redactor::default();
        let lines = drafts.into_iter().map(|(_, origin, line)| redactor.line(linked(line, origin, &places)));
        let lines = lines.collect();
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

/// Returns where a line stands among others of its instant: what is done, then what comes of it.
const fn place_of(kind: LineKind) -> u8 {
    match kind {
        LineKind::Note => 0,
        LineKind::Socket | LineKind::Sent | LineKind::Http => 1,
        LineKind::Upstream => 2,
        LineKind::UpstreamEnd => 3,
        LineKind::Frame => 4,
        LineKind::Clock => 5,
    }
}

/// Which step of the scenario saw what: the ends of the steps, in order.
struct Steps<'a>(Vec<(usize, usize, &'a [usize])>);

impl<'a> Steps<'a> {
    fn of(events: &'a [Event]) -> Self {
        let ends = events.iter().enumerate().filter_map(|(n, event)| match &event.what {
            What::Step { exchanges, ended } => Some((n, *exchanges, ended.as_slice())),
            _ => None,
        });
        Self(ends.collect())
    }

    fn of_event(&self, event: usize) -> usize {
        self.0.partition_point(|(end, _, _)| *end < event)
    }

    fn of_request(&self, exchange: usize) -> usize {
        self.0.partition_point(|(_, requests, _)| *requests <= exchange)
    }

    fn of_end(&self, exchange: usize) -> usize {
        self.0.iter().position(|(_, _, ended)| ended.contains(&exchange)).unwrap_or(self.0.len())
    }
}

fn micros(began: Instant, at: Instant) -> u64 {
    u64::try_from(at.since(began).as_micros()).unwrap_or(u64::MAX)
}

fn event_line(began: Instant, event: &Event) -> Option<Line> {
    let (kind, text, data) = match &event.what {
        What::Opened => (LineKind::Socket, "socket open".to_owned(), None),
        What::Refused(status) => (LineKind::Socket, format!("upgrade refused with {status}"), None),
        What::Closed { code, by_client: true } => (LineKind::Socket, format!("hung up ({code})"), None),
        What::Closed { code, by_client: false } => {
            (LineKind::Socket, format!("closed by the server ({code})"), None)
        }
        What::Sent(text) => (LineKind::Sent, format!("says “{}”", shorten(text)), None),
        What::SentRaw(text) => (LineKind::Sent, format!("sends the frame {}", shorten(text)), None),
        What::SentFrames(frames) => (LineKind::Sent, format!("sends {}", shorten(frames)), None),
        What::Pong => (LineKind::Socket, "last ping answered".to_owned(), None),
        What::Frame(frame) => (LineKind::Frame, frame_text(frame), Some(frame.json.clone())),
        What::Http(answer) => {
            let text = format!("{} → {}", answer.call, answer.status);
            (LineKind::Http, text, Some(answer.body.clone()))
        }
        What::Step { .. } => return None,
        What::Advanced => (LineKind::Clock, "time has passed".to_owned(), None),
        What::Mark { name, .. } => (LineKind::Note, format!("mark `{name}`"), None),
        What::Script(_) => (LineKind::Note, "the model gets a new script".to_owned(), None),
        What::Note(text) | What::Missing(text) | What::Proof { text, .. } => {
            (LineKind::Note, text.clone(), None)
        }
    };
    Some(Line { at_us: micros(began, event.at), actor: event.actor.clone(), kind, text, data })
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
    let data = json!({"faults": faults, "status": exchange.status, "events": exchange.events});
    let with = if faults.is_empty() { String::new() } else { format!(" with {}", faults.join(", ")) };
    Some(Line {
        at_us: micros(began, end.at),
        actor: "llm".to_owned(),
        kind: LineKind::UpstreamEnd,
        text: format!("{how}{with} after {} events", exchange.events),
        data: Some(data),
    })
}

/// Tells the end of an exchange which line is its beginning.
fn linked(mut line: Line, origin: Origin, places: &HashMap<Origin, usize>) -> Line {
    if let (Origin::ExchangeEnd(n), Some(Value::Object(data))) = (origin, &mut line.data) {
        data.insert("request".to_owned(), places.get(&Origin::Exchange(n)).copied().into());
    }
    line
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}
