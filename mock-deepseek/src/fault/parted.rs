//! Usage in a chunk of its own, without choices.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Behaviour;
use crate::answer::{Answer, Kind, Marks, Piece};

/// Takes the usage out of the last chunk and sends it after it, beside an empty list of choices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parted {}

impl Behaviour for Parted {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.pieces.iter().position(|piece| piece.kind == Kind::Finish) else { return };
        let finish = &mut answer.pieces[place];
        let Some((finished, used)) = parted(&finish.payload) else { return };
        finish.payload = finished.into();
        answer.pieces.insert(place + 1, Piece { marks, ..Piece::event(Kind::Foreign, used) });
    }
}

fn parted(payload: &[u8]) -> Option<(String, String)> {
    let mut finished: Value = serde_json::from_slice(payload).ok()?;
    let mut used = finished.clone();
    finished.as_object_mut()?.shift_remove("usage")?;
    *used.get_mut("choices")? = json!([]);
    Some((finished.to_string(), used.to_string()))
}
