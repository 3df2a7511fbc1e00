//! What is told in a room: frames with their places, and pieces of answers.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    chat::v1::{Outgoing, SessionState},
    exchange::Item,
    ids::{MessageId, SessionId},
};

/// A frame as it is told.
#[derive(Debug)]
pub(in crate::chat) struct Told {
    /// Its place, if it is durable.
    pub(in crate::chat) offset: Option<u64>,
    /// The device that it is for; all of them if there is none.
    pub(in crate::chat) to: Option<u64>,
    /// What it is a piece of, if it is one.
    pub(in crate::chat) piece: Option<Piece>,
    /// The frame as it goes over the wire, made once for all devices.
    pub(in crate::chat) json: Utf8Bytes,
}

/// A piece of an answer.
#[derive(Clone, Debug)]
pub(in crate::chat) struct Piece {
    pub(in crate::chat) message_id: MessageId,
    /// Where it begins, in characters.
    pub(in crate::chat) index: usize,
    pub(in crate::chat) text: String,
}

/// An answer so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) message_id: MessageId,
    pub(super) text: String,
    pub(super) characters: usize,
}

/// What is told to all, before it has its place.
#[derive(Clone, Debug)]
pub(super) enum Telling {
    /// A durable frame; none if it is of a version that cannot be read. It has a place all the same.
    Note(Option<Box<Note>>),
    Piece(Piece),
}

/// A durable frame, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// The frame without its place.
    frame: String,
    pub(super) mark: Mark,
}

/// What a durable frame changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// Nothing that is remembered.
    Nothing,
    /// A session is open.
    Opened(SessionId),
    /// None is open any more.
    Closed,
    /// This session was deleted: nothing that was told before is kept.
    Deleted(SessionId),
    /// A turn is over, and so is this answer: whoever was away has not seen its pieces.
    Over(Option<Running>),
}

impl Told {
    /// A frame for one device.
    pub(super) fn to_one(frame: &Outgoing, device: u64) -> Arc<Self> {
        let (to, json) = (Some(device), frame.to_json().into());
        Arc::new(Self { offset: None, to, piece: None, json })
    }

    /// A piece of an answer, for all devices.
    pub(super) fn piece(piece: Piece) -> Arc<Self> {
        let json = piece.to_json().into();
        Arc::new(Self { offset: None, to: None, piece: Some(piece), json })
    }
}

impl Telling {
    /// Returns it as it goes to other replicas.
    pub(super) fn item(&self) -> Item {
        match self {
            Self::Note(note) => {
                let text = serde_json::to_string(note).unwrap_or_default();
                let forgets = note.as_ref().is_some_and(|note| matches!(note.mark, Mark::Deleted(_)));
                Item::Kept { text, ends: note.as_ref().and_then(|note| note.ends()), forgets }
            }
            Self::Piece(Piece { message_id, index, text }) => {
                Item::Piece { of: *message_id, index: *index, text: text.clone() }
            }
        }
    }

    /// Reads what came from another replica.
    pub(super) fn of(item: Item) -> Self {
        match item {
            Item::Kept { text, .. } => Self::Note(Note::read(&text)),
            Item::Piece { of: message_id, index, text } => Self::Piece(Piece { message_id, index, text }),
        }
    }
}

impl Piece {
    /// Returns the frame that tells it.
    pub(in crate::chat) fn to_json(&self) -> String {
        let Self { message_id, index, text } = self.clone();
        Outgoing::Chunk { message_id, index, text }.to_json()
    }
}

impl Running {
    pub(super) fn new(message_id: MessageId, text: String) -> Self {
        let characters = text.chars().count();
        Self { message_id, text, characters }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.characters += text.chars().count();
    }

    /// Returns what comes behind so many characters, if that is anything.
    pub(super) fn rest(&self, characters: usize) -> Option<Piece> {
        let (at, _) = self.text.char_indices().nth(characters)?;
        Some(Piece { message_id: self.message_id, index: characters, text: self.text[at..].to_owned() })
    }

    /// Returns the frame that stands for all its pieces.
    pub(super) fn told(&self) -> Arc<Told> {
        let Self { message_id, text, characters } = self.clone();
        let json = Outgoing::Snapshot { message_id, text, next_index: characters }.to_json().into();
        Arc::new(Told { offset: None, to: None, piece: None, json })
    }
}

impl Note {
    /// Notes a durable frame; with the end of a turn goes the answer that ended.
    pub(super) fn new(frame: &Outgoing, answer: Option<Running>) -> Self {
        let mark = match frame {
            Outgoing::Session { id, state: SessionState::Open, .. } => Mark::Opened(*id),
            Outgoing::Session { state: SessionState::Ended, .. } => Mark::Closed,
            Outgoing::Session { id, state: SessionState::Deleted, .. } => Mark::Deleted(*id),
            Outgoing::Done { .. } => Mark::Over(answer),
            _ => Mark::Nothing,
        };
        Self { frame: frame.to_json(), mark }
    }

    /// Returns the answer that ends with it.
    fn ends(&self) -> Option<MessageId> {
        match &self.mark {
            Mark::Over(answer) => answer.as_ref().map(|answer| answer.message_id),
            Mark::Nothing | Mark::Opened(_) | Mark::Closed | Mark::Deleted(_) => None,
        }
    }

    /// Reads what is kept.
    pub(super) fn read(text: &str) -> Option<Box<Self>> {
        serde_json::from_str(text).unwrap_or_else(|error| {
            tracing::warn!(%error, "frame of another version is left out");
            None
        })
    }

    /// Returns the frame at its place.
    pub(super) fn told(&self, offset: u64) -> Arc<Told> {
        let json = match self.frame.strip_suffix('}') {
            Some(open) => format!("{open},\"offset\":{offset}}}"),
            None => self.frame.clone(),
        };
        Arc::new(Told { offset: Some(offset), to: None, piece: None, json: json.into() })
    }
}
