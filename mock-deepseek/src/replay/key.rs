//! What makes two requests equal.
//!
//! Invariant: recorded and asked requests are brought into this form by the same steps, so that what was
//! scrubbed away while recording is no difference.

use regex::bytes::{NoExpand, Regex};
use serde_json::Value;

use crate::{
    api,
    cassette::{Asked, Content},
    scrub::{self, Media, Scrubber},
};

/// A request, as far as it decides the answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) method: String,
    pub(super) path: String,
    /// Whether it brings a key: without one, the answer is a refusal.
    pub(super) is_keyed: bool,
    /// JSON with sorted keys, else what came.
    pub(super) body: Vec<u8>,
}

impl Key {
    /// Reads a recorded request.
    pub(super) fn recorded(request: &Asked, ignored: &[String]) -> Self {
        let split = |header: &String| {
            header.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let headers: Vec<_> = request.headers.iter().filter_map(split).collect();
        let body = match &request.body {
            Content::Json(json) => plain(json.clone(), ignored),
            Content::Raw(bytes) => bytes.to_vec(),
        };
        Self::new((&request.method, &request.path), &headers, body)
    }

    /// Reads a request that has arrived.
    pub(super) fn asked(request: &api::Request<'_>, ignored: &[String]) -> Self {
        let headers = request.headers.revealed(request.credentials);
        let body = match serde_json::from_slice(request.body) {
            Ok(json @ (Value::Object(_) | Value::Array(_))) => plain(json, ignored),
            _ => request.body.to_vec(),
        };
        Self::new((request.method, request.path), &headers, body)
    }

    fn new((method, path): (&str, &str), headers: &[(String, String)], body: Vec<u8>) -> Self {
        let mut scrubber = Scrubber::default();
        scrub::learn(&mut scrubber, headers);
        let path = scrub::path(&mut scrubber, path);
        let body = without_boundary(scrubber.body(&[body.into()], Media::Other).concat(), headers);
        let is_keyed = headers.iter().any(|(name, _)| scrub::carries_key(name));
        Self { method: method.to_owned(), path, is_keyed, body }
    }

    /// Returns the body as JSON, where it is JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Takes the line out that a client puts between the parts of a form: it is another one each time.
fn without_boundary(body: Vec<u8>, headers: &[(String, String)]) -> Vec<u8> {
    let kind = headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
    let form = kind.strip_prefix("multipart/").and_then(|kind| kind.split_once("boundary="));
    let boundary = form.map_or("", |(_, rest)| rest.split(';').next().unwrap_or_default().trim_matches('"'));
    match Regex::new(&regex::escape(boundary)) {
        Ok(pattern) if !boundary.is_empty() => pattern.replace_all(&body, NoExpand(b"-")).into_owned(),
        _ => body,
    }
}

/// Takes out what does not decide the answer, and sorts the rest.
fn plain(mut json: Value, ignored: &[String]) -> Vec<u8> {
    if let Some(object) = json.as_object_mut() {
        if matches!(object.get("stream"), Some(Value::Null | Value::Bool(false))) {
            object.remove("stream");
        }
        if let Some(Value::String(model)) = object.get_mut("model") {
            let length = model.find('+').unwrap_or(model.len());
            model.truncate(length);
        }
    }
    for pointer in ignored {
        remove(&mut json, pointer);
    }
    json.sort_all_objects();
    json.to_string().into_bytes()
}

fn remove(json: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match json.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Some(Value::Array(list)) => {
            if let Some(place) = name.parse().ok().filter(|place| *place < list.len()) {
                list.remove(place);
            }
        }
        _ => {}
    }
}
