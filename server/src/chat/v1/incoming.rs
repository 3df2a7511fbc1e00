//! What a client of `chat.v1` may send.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{chat::protocol::Code, ids::MessageId};

/// Longest id that a client may give to a message, in bytes.
pub const CLIENT_ID_MAX: usize = 64;

/// A frame in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Incoming {
    /// The first frame. Both keys as `welcome` and the last durable frame told them, or neither to begin anew.
    Resume {
        /// The stream.
        #[serde(default)]
        epoch: Option<String>,
        /// The last durable frame that was seen.
        #[serde(default)]
        offset: Option<u64>,
    },
    /// A message of the user.
    Send {
        /// The client's id of it, 1 to [`CLIENT_ID_MAX`] bytes: with the same id it is taken once.
        client_msg_id: String,
        /// The text.
        content: String,
        /// The message of the same user that it takes the place of, since its answer failed or broke off: the id of the
        /// question, as `ack` and `message` tell it.
        #[serde(default)]
        #[schemars(with = "Option<String>")]
        replaces: Option<MessageId>,
    },
    /// Stop the answer with this id.
    Stop {
        /// The id, as `ack` and `chunk` tell it.
        #[schemars(with = "String")]
        message_id: MessageId,
    },
    /// End the conversation.
    EndConversation {
        /// The client's id of the wish.
        #[serde(default)]
        client_msg_id: Option<String>,
    },
    /// This and all before was seen.
    Ack {
        /// The offset of a durable frame.
        offset: u64,
    },
    /// A sign of life.
    Pong,
}

/// The types of frames in.
const TYPES: [&str; 6] = ["resume", "send", "stop", "end_conversation", "ack", "pong"];

/// A frame that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Why.
    pub code: Code,
    /// The client's id in it, if one can be read.
    pub client_msg_id: Option<String>,
}

/// Reads a frame. Unknown keys are skipped.
pub fn parse(text: &str) -> Result<Incoming, Wrong> {
    let wrong = |code, client_msg_id| Wrong { code, client_msg_id };
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Err(wrong(Code::BadRequest, None)) };
    let id = value.get("client_msg_id").and_then(Value::as_str).filter(|id| is_id(id)).map(str::to_owned);
    match value.get("type").and_then(Value::as_str) {
        Some(kind) if TYPES.contains(&kind) => {}
        Some(_) => return Err(wrong(Code::UnknownType, id)),
        None => return Err(wrong(Code::BadRequest, id)),
    }
    let frame = serde_json::from_value(value).map_err(|_| wrong(Code::BadRequest, id.clone()))?;
    let is_sound = match &frame {
        Incoming::Send { client_msg_id, content, .. } => is_id(client_msg_id) && !content.trim().is_empty(),
        Incoming::EndConversation { client_msg_id: Some(client_msg_id) } => is_id(client_msg_id),
        Incoming::Resume { epoch, offset } => epoch.is_some() == offset.is_some(),
        _ => true,
    };
    if is_sound { Ok(frame) } else { Err(wrong(Code::BadRequest, id)) }
}

fn is_id(text: &str) -> bool {
    (1..=CLIENT_ID_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_unknown_keys_skipped_f148() {
        let old = "0190a8c4-0000-7000-8000-000000000001";
        let again = |id: &str, replaces| Incoming::Send {
            client_msg_id: id.to_owned(),
            content: "hi".to_owned(),
            replaces,
        };
        let send = |id: &str| again(id, None);
        let anew = Incoming::Resume { epoch: None, offset: None };

        assert_eq!(parse(r#"{"type":"send","client_msg_id":"a","content":"hi","mood":7}"#), Ok(send("a")));
        assert_eq!(
            parse(&format!(r#"{{"type":"send","client_msg_id":"a","content":"hi","replaces":"{old}"}}"#)),
            Ok(again("a", Some(old.parse().unwrap())))
        );
        assert_eq!(parse(r#"{"type":"resume"}"#), Ok(anew));
        assert_eq!(parse(r#"{"type":"pong"}"#), Ok(Incoming::Pong));
    }

    #[test]
    fn what_is_wrong_has_a_code_and_the_id_of_its_message_f148() {
        let code = |text: &str| parse(text).unwrap_err();
        let wrong = |code, id: Option<&str>| Wrong { code, client_msg_id: id.map(str::to_owned) };
        let long = "x".repeat(CLIENT_ID_MAX + 1);

        assert_eq!(code(r#"{"type":"dance","client_msg_id":"a"}"#), wrong(Code::UnknownType, Some("a")));
        assert_eq!(
            code(r#"{"type":"send","client_msg_id":"a","content":" "}"#),
            wrong(Code::BadRequest, Some("a"))
        );
        for text in [
            "hi",
            "[]",
            "{}",
            r#"{"type":7}"#,
            r#"{"type":"send","content":"hi"}"#,
            r#"{"type":"send","client_msg_id":"","content":"hi"}"#,
            r#"{"type":"resume","offset":3}"#,
            r#"{"type":"stop","message_id":"x"}"#,
            &format!(r#"{{"type":"send","client_msg_id":"{long}","content":"hi"}}"#),
        ] {
            assert_eq!(code(text), wrong(Code::BadRequest, None), "{text}");
        }
    }
}
