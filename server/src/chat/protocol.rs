//! Protocol v0: JSON text frames, as its existing clients speak it.
//!
//! In: `{"content": "…"}`, or `{"type": "end_conversation"}`. Out: `message`, `calendar`, `error`,
//! `done`, with extra keys that old clients skip. A turn ends with exactly one `done` or `error`.
//!
//! The AI never creates entries: a `calendar` frame proposes one, and its user confirms it by `POST /api/reminders`. With
//! a `reminder_id` in it the entry was made already, by the user's own standing wish for low priority.
//!
//! Invariant: what a frame says to the user is in `content`; everything else is for programs.

use jiff::Timestamp;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

use crate::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId},
    storage::{Priority, Suggestion, SuggestionType},
};

/// What a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message to be answered.
    Say(String),
    /// The same in place of a message whose answer failed; never on v0.
    Again(String, MessageId),
    /// The conversation is to end.
    EndConversation,
}

/// Stable codes of refusals and failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The frame is not JSON, or has no content.
    BadRequest,
    /// The frame's `type` is not known.
    UnknownType,
    /// The message has too many characters.
    TooLong,
    /// Too many messages in a short time.
    RateLimited,
    /// Too many messages wait already.
    QueueFull,
    /// The server is about to stop.
    ShuttingDown,
    /// The message was not stored.
    Internal,
    /// The answer was not stored.
    NotStored,
    /// The answer is not whole.
    Interrupted,
    /// The user has not agreed to what the model would be told.
    ConsentNeeded,
    /// What the message was to replace is not there, or needs no other answer; never on v0.
    NotReplaceable,
}

impl Code {
    /// Returns the code as text, which is also the last part of its text's key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnknownType => "unknown_type",
            Self::TooLong => "too_long",
            Self::RateLimited => "rate_limited",
            Self::QueueFull => "queue_full",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
            Self::NotStored => "not_stored",
            Self::Interrupted => "interrupted",
            Self::ConsentNeeded => "consent_needed",
            Self::NotReplaceable => "not_replaceable",
        }
    }
}

/// What the user can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Send it again later.
    Retry,
    /// Tell whoever runs the server.
    ContactSupport,
    /// Call for help.
    Emergency,
    /// Agree to what is asked, by `PUT /api/users/me/consents/{purpose}`.
    Consent,
}

/// What the text of a `message` frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A piece of the model's answer.
    Answer,
    /// A fixed reply to small talk.
    Canned,
    /// A text in place of an answer.
    Fallback,
    /// What to do in an emergency.
    Safety,
    /// Something about the conversation itself.
    Notice,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// With a whole answer.
    Answered,
    /// With a fixed reply.
    Canned,
    /// With a text in place of an answer.
    Fallback,
    /// In the middle of an answer.
    Interrupted,
    /// In the middle of an answer, because the user wanted it so; never on v0.
    Stopped,
    /// With the end of the conversation.
    Ended,
    /// Without an answer that could be kept; on v0 an `error` says so.
    Failed,
}

/// The types of frames out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameType {
    /// Text for the user.
    Message,
    /// A proposed calendar entry.
    Calendar,
    /// Refused or failed; ends the turn.
    Error,
    /// Ends the turn.
    Done,
}

/// A frame out. Absent keys are not sent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Frame {
    /// What kind of frame.
    #[serde(rename = "type")]
    pub frame: FrameType,
    /// Text for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The same text once more in errors: some clients look here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The proposed entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Entry>,
    /// Number of the message on this connection, from 1; 0 where a frame belongs to none.
    #[serde(skip_serializing_if = "is_zero")]
    pub turn: u64,
    /// Id of the stored reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub id: Option<MessageId>,
    /// What the text is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How the turn ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Why it was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What the user can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// When trying again makes sense, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Whether the user got less than an answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub degraded: bool,
    /// Whether the turn was in another language than the user's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub used_fallback: bool,
    /// The session of the turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub session: Option<SessionId>,
}

/// A proposed calendar entry in a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// What to confirm it by.
    #[schemars(with = "String")]
    pub id: SuggestionId,
    /// What kind of entry.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub kind: SuggestionType,
    /// Short text.
    pub title: String,
    /// Long text.
    pub description: String,
    /// The proposed time.
    #[schemars(with = "String")]
    pub suggested_time: Timestamp,
    /// How pressing.
    #[schemars(with = "String")]
    pub priority: Priority,
    /// Until when it can be confirmed.
    #[schemars(with = "String")]
    pub expires_at: Timestamp,
    /// The reminder that was made of it at once, as its user wishes for low priority; nothing is to be
    /// confirmed then, and it can be rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub reminder_id: Option<ReminderId>,
}

impl Frame {
    /// Makes a frame of which everything else is absent.
    pub const fn new(frame: FrameType, turn: u64) -> Self {
        Self {
            frame,
            turn,
            content: None,
            message: None,
            data: None,
            id: None,
            kind: None,
            finish: None,
            code: None,
            action: None,
            retry_after_ms: None,
            degraded: false,
            used_fallback: false,
            session: None,
        }
    }

    /// Makes a `message`.
    pub fn text(turn: u64, kind: Kind, text: impl Into<String>) -> Self {
        Self { content: Some(text.into()), kind: Some(kind), ..Self::new(FrameType::Message, turn) }
    }

    /// Makes an `error`.
    pub fn error(turn: u64, code: Code, text: &str) -> Self {
        Self {
            content: Some(text.to_owned()),
            message: Some(text.to_owned()),
            code: Some(code),
            ..Self::new(FrameType::Error, turn)
        }
    }

    /// Makes a `calendar`.
    pub fn calendar(turn: u64, suggestion: Suggestion) -> Self {
        let entry = Entry {
            id: suggestion.id,
            kind: suggestion.kind.on_v0(),
            title: suggestion.title,
            description: suggestion.description,
            suggested_time: suggestion.suggested_time,
            priority: suggestion.priority,
            expires_at: suggestion.expires_at,
            reminder_id: suggestion.reminder,
        };
        Self { data: Some(entry), ..Self::new(FrameType::Calendar, turn) }
    }

    /// Returns whether this frame ends a turn.
    pub const fn is_terminal(&self) -> bool {
        matches!(self.frame, FrameType::Done | FrameType::Error)
    }

    /// Returns the frame as it goes over the wire.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"type":"error","code":"internal"}"#.to_owned())
    }
}

/// Returns the schema of a frame out.
pub(super) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Frame>().to_value()
}

/// Reads a frame of a client. Unknown keys are skipped, and the case of keys does not matter.
pub fn parse(text: &str) -> Result<Incoming, Code> {
    let Ok(Value::Object(keys)) = serde_json::from_str(text) else {
        return Err(Code::BadRequest);
    };
    let get =
        |name: &str| keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match get("type").map(Value::as_str) {
        None | Some(Some("message")) => {}
        Some(Some("end_conversation")) => return Ok(Incoming::EndConversation),
        Some(_) => return Err(Code::UnknownType),
    }
    match get("content").and_then(Value::as_str) {
        Some(content) if !content.trim().is_empty() => Ok(Incoming::Say(content.to_owned())),
        _ => Err(Code::BadRequest),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
const fn is_zero(turn: &u64) -> bool {
    *turn == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_old_clients_are_read() {
        assert_eq!(parse(r#"{"content":"hi"}"#), Ok(Incoming::Say("hi".to_owned())));
        assert_eq!(parse(r#"{"Content":"hi","conversation_id":7}"#), Ok(Incoming::Say("hi".to_owned())));
        assert_eq!(parse(r#"{"type":"message","content":"hi"}"#), Ok(Incoming::Say("hi".to_owned())));
        assert_eq!(parse(r#"{"type":"end_conversation"}"#), Ok(Incoming::EndConversation));
    }

    #[test]
    fn what_cannot_be_read_has_a_code() {
        for text in ["", "hi", "[]", "null", "7", "{", r#"{"content":7}"#, r#"{"content":" "}"#, "{}"] {
            assert_eq!(parse(text), Err(Code::BadRequest), "{text}");
        }
        for text in [r#"{"type":"dance","content":"x"}"#, r#"{"type":7}"#, r#"{"type":null}"#] {
            assert_eq!(parse(text), Err(Code::UnknownType), "{text}");
        }
    }

    #[test]
    fn absent_keys_are_not_sent() {
        let piece = Frame::text(3, Kind::Answer, "a");
        let error = Frame { retry_after_ms: Some(6000), ..Frame::error(0, Code::RateLimited, "wait") };

        insta::assert_snapshot!(piece.to_json(), @r#"{"type":"message","content":"a","turn":3,"kind":"answer"}"#);
        insta::assert_snapshot!(error.to_json(), @r#"{"type":"error","content":"wait","message":"wait","code":"rate_limited","retry_after_ms":6000}"#);
    }
}
