//! JSON in which one member is something else, or is not there.

use serde::Deserialize;
use serde_json::Value;

use super::Behaviour;
use crate::{
    answer::{Answer, Form, Kind, Marks, Piece},
    render::quoted,
};

/// Puts raw text in place of a member, which need not be JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// Path of the member in a chunk, such as `/choices/0/delta`; in a whole reply `delta` reads `message`.
    at: String,
    /// What is put there; left out, the member is taken away.
    raw: Option<String>,
    #[serde(default)]
    of: Of,
    /// From this chunk on, counted from 0.
    from: usize,
    /// How many chunks, `0` for all.
    chunks: usize,
    /// The message of an `error` that is put beside; empty for none.
    #[serde(default)]
    error: String,
}

/// Which chunks are counted and changed.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Of {
    /// Those of visible text.
    #[default]
    Content,
    /// All before the one with the finish reason.
    Running,
}

/// Stands where the raw text goes while the rest is written.
const HOLE: &str = "\u{1}raw\u{1}";

impl Of {
    fn counts(self, kind: Kind) -> bool {
        match self {
            Self::Content => kind == Kind::Content,
            Self::Running => matches!(kind, Kind::Role | Kind::Reasoning | Kind::Content),
        }
    }
}

impl Edit {
    fn edited(&self, piece: &Piece, form: Form) -> Option<String> {
        let at = match form {
            Form::Stream => self.at.clone(),
            Form::Single => self.at.replace("/delta", "/message"),
        };
        let mut json: Value = serde_json::from_slice(&piece.payload).ok()?;
        if !self.error.is_empty() {
            let error = serde_json::json!({"message": self.error, "type": "upstream_error", "param": null, "code": 502});
            json.as_object_mut()?.insert("error".to_owned(), error);
        }
        replaced(json, &at, self.raw.as_deref())
    }
}

/// Renders the JSON with raw text in place of the member at `pointer`, or without it.
pub(super) fn replaced(mut json: Value, pointer: &str, raw: Option<&str>) -> Option<String> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let parent = json.pointer_mut(parent)?.as_object_mut()?;
    match raw {
        Some(_) => drop(parent.insert(name.to_owned(), Value::from(HOLE))),
        None => drop(parent.shift_remove(name)?),
    }
    let text = json.to_string();
    Some(raw.map_or_else(|| text.clone(), |raw| text.replacen(&quoted(HOLE), raw, 1)))
}

impl Behaviour for Edit {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let form = answer.form;
        let limit = if self.chunks == 0 { usize::MAX } else { self.chunks };
        let whole = |piece: &Piece| form == Form::Single && piece.kind == Kind::Body;
        let bodies = answer.pieces.iter_mut().filter(|piece| self.of.counts(piece.kind) || whole(piece));
        let skipped = if form == Form::Single { 0 } else { self.from };
        for piece in bodies.skip(skipped).take(limit) {
            if let Some(text) = self.edited(piece, form) {
                piece.payload = text.into();
                piece.marks = piece.marks | marks;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn raw_text_stands_where_the_member_stood() {
        let json = json!({"a": {"b": 1, "c": 2}, "d": 3});

        assert_eq!(replaced(json.clone(), "/a/b", Some("NaN")).unwrap(), r#"{"a":{"b":NaN,"c":2},"d":3}"#);
        assert_eq!(replaced(json, "/a", None).unwrap(), r#"{"d":3}"#);
    }

    #[test]
    fn a_member_that_is_not_there_cannot_be_taken_away() {
        assert_eq!(replaced(json!({"a": 1}), "/b", None), None);
        assert_eq!(replaced(json!({"a": 1}), "/b/c", Some("null")), None);
    }
}
