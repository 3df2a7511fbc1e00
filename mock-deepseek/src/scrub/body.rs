//! Scrubs bodies: JSON, streams of events, anything else.
//!
//! Bytes that are no secret stay as they are. What is cut over several pieces, or over the deltas of
//! several events, is found all the same: its placeholder stands where it began.
//!
//! Where probabilities spell a text once more, token by token, they are taken out of a body from which anything
//! else was taken: they would tell it.
//!
//! Invariant: as many pieces come out as go in.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap, ops::Range};

use bytes::Bytes;

use super::{
    Kind, Scrubber, detect,
    json::{self, Form, Scalar},
    view::View,
};

/// Keys whose strings run on from event to event.
const DELTAS: [&str; 7] =
    ["content", "reasoning_content", "text", "thinking", "delta", "arguments", "partial_json"];
/// Keys whose values name a person.
const USERS: [&str; 5] = ["user", "user_id", "userId", "end_user", "safety_identifier"];
/// Keys whose values are secret.
const SECRETS: [&str; 11] = [
    "api_key",
    "apikey",
    "apiKey",
    "api-key",
    "authorization",
    "password",
    "client_secret",
    "access_token",
    "refresh_token",
    "id_token",
    "private_key",
];
/// Stands for a byte that is no UTF-8 while a body is looked through.
const SUBSTITUTE: u8 = 0x1a;

/// How a body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Events,
    /// JSON if it looks like it, else text.
    Other,
}

impl Media {
    pub(crate) fn of(content_type: &str) -> Self {
        if content_type.to_ascii_lowercase().starts_with("text/event-stream") {
            Self::Events
        } else {
            Self::Other
        }
    }
}

/// Bytes to be replaced.
struct Edit {
    range: Range<usize>,
    with: String,
}

impl Scrubber {
    /// Scrubs a body that came in these pieces.
    pub(crate) fn body(&mut self, pieces: &[Bytes], media: Media) -> Vec<Vec<u8>> {
        let whole = pieces.concat();
        let text = same_length(&whole);
        let (mut edits, mut tokens) = (Vec::new(), Vec::new());
        for target in targets(&text, media, &mut tokens) {
            if let Some(kind) = target.forced {
                self.learn(kind, &target.view.text);
            }
            self.edit(target, &mut edits);
        }
        if !edits.is_empty() {
            edits.extend(tokens.into_iter().map(|range| without_tokens(&text, range)));
        }
        edits.sort_by_key(|edit| (edit.range.start, Reverse(edit.range.end)));
        let mut done = 0;
        edits.retain(|edit| {
            let is_outside = edit.range.start >= done;
            done = done.max(edit.range.end);
            is_outside
        });
        apply(pieces, &edits)
    }

    fn edit(&mut self, target: Target, edits: &mut Vec<Edit>) {
        let Target { view, forced, quoted } = target;
        let whole = |kind| detect::Found { range: 0..view.text.len(), kind, identity: view.text.clone() };
        let found = match forced {
            Some(kind) => vec![whole(kind)],
            // Of a number there is no part that could stay.
            None if quoted => detect::find(&view.text, &self.known)
                .into_iter()
                .take(1)
                .map(|item| whole(item.kind))
                .collect(),
            None => detect::find(&view.text, &self.known),
        };
        for item in found {
            let mut with = self.placeholder(item.kind, item.identity);
            if quoted {
                with = format!("\"{with}\"");
            }
            for range in view.raw(&item.range) {
                edits.push(Edit { range, with: std::mem::take(&mut with) });
            }
        }
    }
}

/// A text to be looked through.
struct Target {
    view: View,
    /// The whole text is of this kind, for it stands in a place for it.
    forced: Option<Kind>,
    /// What replaces it needs quotation marks.
    quoted: bool,
}

impl Target {
    fn plain(text: &str, start: usize) -> Self {
        let mut view = View::default();
        view.plain(text, start);
        Self { view, forced: None, quoted: false }
    }
}

/// Takes the tokens away that would spell what has been removed elsewhere.
fn without_tokens(text: &str, range: Range<usize>) -> Edit {
    let empty = if text[range.clone()].starts_with('[') { "[]" } else { "null" };
    Edit { range, with: empty.to_owned() }
}

fn targets(text: &str, media: Media, tokens: &mut Vec<Range<usize>>) -> Vec<Target> {
    let (mut found, mut running) = (Vec::new(), BTreeMap::<String, View>::new());
    match media {
        Media::Other if looks_like_json(text) => {
            let read = json::read(text, 0);
            tokens.extend(read.tokens);
            found.extend(read.scalars.into_iter().map(target));
        }
        Media::Other => found.push(Target::plain(text, 0)),
        Media::Events => {
            let mut start = 0;
            for line in text.split_inclusive('\n') {
                tokens.extend(event_line(line, start, &mut found, &mut running));
                start += line.len();
            }
        }
    }
    // Learnt from the fixed places first, so that the running text is looked through with all of it.
    found.sort_by_key(|target| target.forced.is_none());
    found.extend(running.into_values().map(|view| Target { view, forced: None, quoted: false }));
    found
}

/// Reads a line, and returns where tokens are told in it.
fn event_line(
    line: &str,
    start: usize,
    found: &mut Vec<Target>,
    running: &mut BTreeMap<String, View>,
) -> Vec<Range<usize>> {
    let payload = line.strip_prefix("data:").unwrap_or_default();
    if !looks_like_json(payload) {
        found.push(Target::plain(line, start));
        return Vec::new();
    }
    let read = json::read(payload, start + line.len() - payload.len());
    for scalar in read.scalars {
        let runs_on = scalar.form == Form::Text
            && !scalar.path.is_empty()
            && scalar.key.as_deref().is_some_and(|key| DELTAS.contains(&key));
        if runs_on {
            running.entry(scalar.path).or_default().append(scalar.view);
        } else {
            found.push(target(scalar));
        }
    }
    read.tokens
}

fn target(scalar: Scalar) -> Target {
    let under = |keys: &[&str]| scalar.key.as_deref().is_some_and(|key| keys.contains(&key));
    let is_number = scalar.view.text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let is_value = scalar.form == Form::Text || (scalar.form == Form::Bare && is_number);
    let forced = match is_value && !scalar.view.text.is_empty() {
        true if under(&USERS) => Some(Kind::User),
        true if under(&SECRETS) => Some(Kind::Secret),
        _ => None,
    };
    Target { quoted: scalar.form == Form::Bare, view: scalar.view, forced }
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Reads bytes as text of the same length.
fn same_length(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::from(SUBSTITUTE)));
    }
    Cow::Owned(text)
}

/// Replaces the ranges, which count from the beginning of the first piece.
fn apply(pieces: &[Bytes], edits: &[Edit]) -> Vec<Vec<u8>> {
    let mut edits = edits.iter().peekable();
    let (mut start, mut gone_until) = (0, 0_usize);
    let mut clean = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let end = start + piece.len();
        let mut bytes = Vec::with_capacity(piece.len());
        let mut at = gone_until.clamp(start, end);
        while let Some(edit) = edits.next_if(|edit| edit.range.start < end) {
            bytes.extend_from_slice(&piece[at - start..edit.range.start.max(at) - start]);
            bytes.extend_from_slice(edit.with.as_bytes());
            gone_until = edit.range.end;
            at = gone_until.clamp(at, end);
        }
        bytes.extend_from_slice(&piece[at - start..]);
        clean.push(bytes);
        start = end;
    }
    clean
}
