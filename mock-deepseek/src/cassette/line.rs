//! The lines of a cassette, and how they follow each other.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answered, Asked, CASSETTE_VERSION, Cassette, CassetteError, Content, Track};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Cassette(Label),
    Request(RequestLine),
    Answer(AnswerLine),
    Piece(PieceLine),
    End(EndLine),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestLine {
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerLine {
    at_ms: u64,
    status: u16,
    framing: BodyEnd,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compressed: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PieceLine {
    at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    at_ms: u64,
    how: How,
    #[serde(default, skip_serializing_if = "is_zero")]
    missing: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How the end of the body was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BodyEnd {
    /// Chunked: each piece was a chunk.
    Chunked,
    /// By its length, told in the head.
    Length,
    /// By the end of the connection, or there was no body at all.
    Close,
}

/// How the answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// As it had said that it would.
    Complete,
    /// The connection was closed before.
    Cut,
    /// The connection was reset before.
    Reset,
}

impl Line {
    pub(super) fn label() -> Self {
        Self::Cassette(Label { version: CASSETTE_VERSION })
    }

    pub(super) fn to_text(&self) -> String {
        // Nothing in a line can fail to be JSON: keys are text, and numbers are whole.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Cassette(_) => "cassette",
            Self::Request(_) => "request",
            Self::Answer(_) => "answer",
            Self::Piece(_) => "piece",
            Self::End(_) => "end",
        }
    }
}

pub(super) fn write(track: &Track) -> String {
    let Track { request, answer, .. } = track;
    let (json, text, base64) = match &request.body {
        Content::Json(json) => (Some(json.clone()), None, None),
        Content::Raw(bytes) if bytes.is_empty() => (None, None, None),
        Content::Raw(bytes) => spelled(bytes, |text, base64| (None, text, base64)),
    };
    let (method, path) = (request.method.clone(), request.path.clone());
    let mut lines = vec![
        Line::Request(RequestLine { method, path, headers: request.headers.clone(), json, text, base64 }),
        Line::Answer(AnswerLine {
            at_ms: answer.at_ms,
            status: answer.status,
            framing: answer.framing,
            headers: answer.headers.clone(),
            compressed: answer.compressed.clone(),
        }),
    ];
    lines.extend(answer.pieces.iter().map(|(at_ms, bytes)| {
        Line::Piece(spelled(bytes, |text, base64| PieceLine { at_ms: *at_ms, text, base64 }))
    }));
    lines.push(Line::End(EndLine { at_ms: answer.end_ms, how: answer.how, missing: answer.missing }));
    lines.iter().map(Line::to_text).collect()
}

/// Spells bytes as text, or as base64 where they are none.
fn spelled<T>(bytes: &[u8], make: impl FnOnce(Option<String>, Option<String>) -> T) -> T {
    match std::str::from_utf8(bytes) {
        Ok(text) => make(Some(text.to_owned()), None),
        Err(_) => make(None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

pub(super) fn read(text: &str) -> Result<Cassette, CassetteError> {
    let mut reader = Reader::default();
    let mut count = 0;
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        count = number;
        reader.take(line, number).map_err(|reason| CassetteError::Damaged { line: number, reason })?;
    }
    let cut = |reason: String| Err(CassetteError::Damaged { line: count.max(1), reason });
    match reader.open {
        _ if !reader.is_labelled => cut(UNLABELLED.to_owned()),
        Open::Nothing => Ok(Cassette { tracks: reader.tracks }),
        Open::Request { line, .. } | Open::Answer { line, .. } => {
            cut(format!("the file ends within the exchange that begins in line {line}"))
        }
    }
}

const UNLABELLED: &str = "a cassette begins with the line `{\"cassette\":{\"version\":1}}`";

#[derive(Default)]
struct Reader {
    is_labelled: bool,
    open: Open,
    tracks: Vec<Arc<Track>>,
}

/// What has begun and not ended.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Request {
        line: usize,
        request: Asked,
    },
    Answer {
        line: usize,
        request: Asked,
        answer: Answered,
    },
}

impl Reader {
    fn take(&mut self, text: &str, number: usize) -> Result<(), String> {
        let line: Line = serde_json::from_str(text).map_err(|error| told(&error))?;
        if let Line::Cassette(label) = &line {
            return self.label(label.version);
        }
        if !self.is_labelled {
            return Err(UNLABELLED.to_owned());
        }
        self.open = match (std::mem::take(&mut self.open), line) {
            (Open::Nothing, Line::Request(line)) => Open::Request { line: number, request: request(line)? },
            (Open::Request { line, request }, Line::Answer(head)) => {
                Open::Answer { line, request, answer: answer(head)? }
            }
            (Open::Answer { line, request, mut answer }, Line::Piece(piece)) => {
                in_order(answer.end_ms, piece.at_ms)?;
                answer.end_ms = piece.at_ms;
                answer.pieces.push((piece.at_ms, bytes(piece.text, piece.base64)?));
                Open::Answer { line, request, answer }
            }
            (Open::Answer { line, request, mut answer }, Line::End(end)) => {
                in_order(answer.end_ms, end.at_ms)?;
                (answer.end_ms, answer.how, answer.missing) = (end.at_ms, end.how, end.missing);
                self.tracks.push(Arc::new(Track { line, request, answer }));
                Open::Nothing
            }
            (open, line) => {
                return Err(format!("found `{}` where {} is due", line.name(), open.due()));
            }
        };
        Ok(())
    }

    fn label(&mut self, version: u32) -> Result<(), String> {
        if self.is_labelled {
            return Err("found `cassette` where an exchange is due".to_owned());
        }
        if version != CASSETTE_VERSION {
            return Err(format!("version {version} is not known, only {CASSETTE_VERSION} is"));
        }
        self.is_labelled = true;
        Ok(())
    }
}

impl Open {
    const fn due(&self) -> &'static str {
        match self {
            Self::Nothing => "`request`",
            Self::Request { .. } => "`answer`",
            Self::Answer { .. } => "`piece` or `end`",
        }
    }
}

/// Tells what is wrong within a line: serde counts lines as well, of which there is only one.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.replace(&format!(" at line {} column", error.line()), " at column")
}

fn in_order(before: u64, after: u64) -> Result<(), String> {
    if after < before {
        Err(format!("`at_ms` is {after}, earlier than the {before} before it"))
    } else {
        Ok(())
    }
}

fn request(line: RequestLine) -> Result<Asked, String> {
    let RequestLine { method, path, headers, json, text, base64 } = line;
    headers.iter().try_for_each(|header| is_header(header))?;
    if !path.starts_with('/') {
        return Err(format!("`path` is `{path}`, which does not begin with `/`"));
    }
    let body = match json {
        Some(json) if text.is_none() && base64.is_none() => Content::Json(json),
        Some(_) => return Err(ONE_BODY.to_owned()),
        None if text.is_none() && base64.is_none() => Content::Raw(Bytes::new()),
        None => Content::Raw(bytes(text, base64)?),
    };
    Ok(Asked { method, path, headers, body })
}

fn answer(line: AnswerLine) -> Result<Answered, String> {
    let AnswerLine { at_ms, status, framing, headers, compressed } = line;
    headers.iter().try_for_each(|header| is_header(header))?;
    if !(200..=999).contains(&status) {
        return Err(format!("`status` is {status}, which ends no exchange: expected 200 to 999"));
    }
    let (pieces, how) = (Vec::new(), How::Complete);
    Ok(Answered { at_ms, status, framing, headers, compressed, pieces, end_ms: at_ms, how, missing: 0 })
}

fn is_header(text: &str) -> Result<(), String> {
    let is_safe = !text.contains(['\r', '\n', '\0']) && text.contains(": ") && !text.starts_with(':');
    if is_safe { Ok(()) } else { Err(format!("{text:?} is no header: expected `name: value`")) }
}

const ONE_BODY: &str = "a body is one of `json`, `text` and `base64`";

fn bytes(text: Option<String>, base64: Option<String>) -> Result<Bytes, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into()),
        (None, Some(base64)) => BASE64_STANDARD
            .decode(base64)
            .map(Bytes::from)
            .map_err(|error| format!("`base64` cannot be decoded: {error}")),
        _ => Err(ONE_BODY.to_owned()),
    }
}
