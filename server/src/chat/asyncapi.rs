//! What is said at `/ws/chat` as an AsyncAPI document (3.0): a channel for each of the two protocols, a message for each type
//! of frame.
//!
//! The frames come from the types that are read and written; only what v0 reads by hand is written by hand here too. The
//! document speaks as the server: it receives what clients send.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{closing, protocol, v1};

/// What there is in every frame of v0, beside its type.
const ALWAYS_ON_V0: [(&str, &[&str]); 4] = [
    ("message", &["content"]),
    ("calendar", &["data"]),
    ("error", &["content", "message", "code"]),
    ("done", &[]),
];

const ABOUT: &str = "\
One engine, two protocols: v0 for clients of before, `chat.v1` for new ones. A client asks for `chat.v1` as WebSocket \
subprotocol; without that it speaks v0. Frames are texts that hold a JSON object; unknown keys are to be skipped, on both sides. \
Accounts, history and the calendar are REST: `GET /api/openapi.json`.";

const ABOUT_V1: &str = "\
The first frame of a client is `resume`; the server answers with `welcome`. A message that is taken gets one `ack` and one `done`, \
one that is not taken one `error`. Durable frames carry an `offset`, are kept for a while and come again to whoever resumes.";

const ABOUT_V0: &str = "\
A turn belongs to its connection. The answer comes in `message` frames, to be joined; a turn ends with one `done` or one `error`.";

/// Makes the document.
pub fn document() -> Value {
    let mut book = Book::default();
    let schema = v1::schema();
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        match name.as_str() {
            "ClientFrame" => book.add_variants("v1.client", definition, |_, _| {}),
            "ServerFrame" => book.add_variants("v1.server", definition, add_offset),
            _ => book.add_schema(name, definition),
        }
    }
    book.add_variants("v0.client", &client_of_v0(), |_, _| {});
    book.add_variants("v0.server", &server_of_v0(), |_, _| {});
    let asks =
        json!({"type": "string", "pattern": format!(r"(^|,)\s*{}\s*(,|$)", v1::NAME.replace('.', r"\."))});
    let channels = json!({
        "v1": book.channel(("v1", ABOUT_V1), &closing::ON_V1, &asks),
        "v0": book.channel(("v0", ABOUT_V0), &closing::ON_V0, &json!({"not": asks})),
    });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "The chat of gauntlet's reference server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0 OR MIT"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": book.operations(),
        "components": {
            "messages": book.messages,
            "schemas": book.schemas,
            "securitySchemes": keys(),
        },
    })
}

/// Returns the document as text; it is made once.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    TEXT.as_str()
}

/// What has been described so far.
#[derive(Default)]
struct Book {
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Book {
    /// Adds a message for each variant of a frame, under the name of its side and its type.
    fn add_variants(&mut self, side: &str, frame: &Value, change: impl Fn(&str, &mut Value)) {
        for variant in frame["oneOf"].as_array().into_iter().flatten() {
            let kind = variant["properties"]["type"]["const"].as_str().unwrap_or("message");
            let name = format!("{side}.{kind}");
            let mut payload = variant.clone();
            change(kind, &mut payload);
            self.add_schema(&name, &payload);
            let message = json!({
                "name": kind,
                "summary": variant["description"],
                "payload": refer(&format!("components/schemas/{name}")),
            });
            self.messages.insert(name, message);
        }
    }

    fn add_schema(&mut self, name: &str, schema: &Value) {
        self.schemas.insert(name.to_owned(), moved(schema));
    }

    fn of<'a>(&'a self, protocol: &'a str) -> impl Iterator<Item = &'a String> {
        self.messages.keys().filter(move |name| name.starts_with(protocol))
    }

    fn channel(
        &self,
        (protocol, about): (&str, &str),
        codes: &[closing::Closing],
        subprotocol: &Value,
    ) -> Value {
        let message = |name: &String| (name.clone(), refer(&format!("components/messages/{name}")));
        let codes: Vec<_> = codes.iter().filter_map(close_code).collect();
        let line = |code: &Value| {
            let again = if code["come_back"] == true { "come back" } else { "do not come back" };
            format!("- {}: {}; {again}", code["code"], code["reason"].as_str().unwrap_or_default())
        };
        let lines: Vec<_> = codes.iter().map(line).collect();
        json!({
            "address": "/ws/chat",
            "title": format!("The chat, protocol {protocol}"),
            "description": format!("{about}\n\nClose codes:\n\n{}", lines.join("\n")),
            "messages": self.of(protocol).map(message).collect::<Map<_, _>>(),
            "bindings": {"ws": binding(subprotocol)},
            "x-close-codes": codes,
        })
    }

    /// Returns what the server does: receive and send, in each protocol.
    fn operations(&self) -> Map<String, Value> {
        let keys = ["token", "ticket", "query_token"];
        let security = keys.map(|key| refer(&format!("components/securitySchemes/{key}")));
        let mut operations = Map::new();
        for protocol in ["v1", "v0"] {
            for (action, side) in [("receive", "client"), ("send", "server")] {
                let side = format!("{protocol}.{side}.");
                let messages = self.of(&side);
                let messages = messages.map(|name| refer(&format!("channels/{protocol}/messages/{name}")));
                let operation = json!({
                    "action": action,
                    "channel": refer(&format!("channels/{protocol}")),
                    "security": security,
                    "messages": messages.collect::<Vec<_>>(),
                });
                operations.insert(format!("{protocol}.{action}"), operation);
            }
        }
        operations
    }
}

fn refer(place: &str) -> Value {
    json!({"$ref": format!("#/{place}")})
}

/// Tells how the upgrade has to look.
fn binding(subprotocol: &Value) -> Value {
    let token = json!({"type": "string", "description": "A token, where the setting `auth.query_token` allows that."});
    let ticket =
        json!({"type": "string", "description": "A ticket of `POST /api/auth/ws-ticket`, good once."});
    json!({
        "method": "GET",
        "query": {"type": "object", "properties": {"ticket": ticket, "token": token}},
        "headers": {"type": "object", "properties": {"Sec-WebSocket-Protocol": subprotocol}},
        "bindingVersion": "0.1.0",
    })
}

fn close_code(closing: &closing::Closing) -> Option<Value> {
    let (code, reason) = closing.told()?;
    Some(json!({"code": code, "reason": reason, "come_back": closing::is_worth_coming_back(code)}))
}

fn keys() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "ticket": {"type": "httpApiKey", "in": "query", "name": "ticket"},
        "query_token": {"type": "httpApiKey", "in": "query", "name": "token"},
    })
}

fn add_offset(kind: &str, payload: &mut Value) {
    if v1::PASSING.contains(&kind) {
        return;
    }
    payload["properties"]["offset"] =
        json!({"description": "Its place in the stream.", "type": "integer", "minimum": 1});
    if let Some(names) = payload["required"].as_array_mut() {
        names.push("offset".into());
    }
}

/// The frames that [`protocol::parse`] reads.
fn client_of_v0() -> Value {
    let id = |word: &str| json!({"type": "string", "const": word});
    json!({"oneOf": [
        {
            "description": "A message of the user. `type` may be left out.",
            "type": "object",
            "required": ["content"],
            "properties": {"type": id("message"), "content": {"type": "string", "minLength": 1}},
        },
        {
            "description": "End the conversation.",
            "type": "object",
            "required": ["type"],
            "properties": {"type": id("end_conversation")},
        },
    ]})
}

/// The frames of v0, which are one type: one variant for each word that is in their `type`.
fn server_of_v0() -> Value {
    let mut schema = protocol::schema();
    let words = schema["$defs"]["FrameType"]["oneOf"].take();
    let variant = |word: &Value| {
        let mut frame = json!({"type": "object", "properties": schema["properties"]});
        let kind = word["const"].as_str().unwrap_or_default();
        let always = ALWAYS_ON_V0.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, keys)| keys);
        frame["properties"]["type"] = json!({"type": "string", "const": kind});
        frame["required"] = [&["type"][..], always].concat().into();
        frame["description"] = word["description"].clone();
        frame
    };
    json!({"oneOf": words.as_array().into_iter().flatten().map(variant).collect::<Vec<_>>()})
}

/// Returns a schema whose references lead to where this document keeps schemas.
fn moved(schema: &Value) -> Value {
    match schema {
        Value::String(text) => json!(text.replace("#/$defs/", "#/components/schemas/")),
        Value::Array(all) => all.iter().map(moved).collect(),
        Value::Object(words) => {
            let kept = words.iter().filter(|(word, _)| *word != "$schema" && *word != "$defs");
            Value::Object(kept.map(|(word, says)| (word.clone(), moved(says))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(document: &Value, protocol: &str) -> String {
        let messages = document["channels"][protocol]["messages"].as_object().unwrap();
        messages.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn there_is_a_message_for_each_type_of_frame_f140() {
        let document = document();

        insta::assert_snapshot!(names(&document, "v1"), @"v1.client.resume v1.client.send v1.client.stop v1.client.end_conversation v1.client.ack v1.client.pong v1.server.welcome v1.server.ack v1.server.message v1.server.chunk v1.server.snapshot v1.server.safety v1.server.calendar v1.server.suggestion v1.server.notice v1.server.error v1.server.session v1.server.language v1.server.done");
        insta::assert_snapshot!(names(&document, "v0"), @"v0.client.message v0.client.end_conversation v0.server.message v0.server.calendar v0.server.error v0.server.done");
        insta::assert_snapshot!(document["components"]["schemas"]["v0.server.done"]["required"], @r#"["type"]"#);
    }

    #[test]
    fn v0_reads_what_is_described_and_nothing_that_lacks_a_part_f140() {
        for variant in client_of_v0()["oneOf"].as_array().unwrap() {
            let names: Vec<_> =
                variant["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            let without = |left_out: &str| {
                let given = names.iter().filter(|name| **name != left_out);
                let value = |name| variant["properties"][name]["const"].as_str().unwrap_or("hi");
                let frame: Map<_, _> = given.map(|name| ((*name).to_owned(), json!(value(*name)))).collect();
                protocol::parse(&json!(frame).to_string())
            };

            assert!(without("").is_ok(), "{variant}");
            assert!(!names.is_empty() && names.iter().all(|name| without(name).is_err()), "{variant}");
        }
    }

    #[test]
    fn every_close_code_is_described_f140() {
        let told: std::collections::BTreeSet<_> =
            closing::ON_V0.iter().chain(&closing::ON_V1).filter_map(closing::Closing::told).collect();

        let written = include_str!("closing.rs").matches(": Closing = Closing::With(").count();
        assert_eq!(told.len(), written);
    }
}
