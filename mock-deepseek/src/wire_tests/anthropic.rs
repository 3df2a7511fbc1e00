//! Anthropic's Messages format, to the byte (DEEPSEEK A1 to A4, A6).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{
    observe::{observe, script},
    surfaces::{Stream, assert_refused, body_of, calling, finished, status_of, stream_of, thinking},
};
use crate::Script;

const SECOND: Duration = Duration::from_secs(1);
const QUESTION: &str = r#""messages":[{"role":"user","content":"hi"}]"#;
const TOOL: &str = r#","tools":[{"name":"week","description":"Tells the week","input_schema":{"type":"object","properties":{"of":{"type":"string"}},"required":["of"]}}]"#;
const QUIET: &str = r#","thinking":{"type":"disabled"}"#;

fn send(body: &str, headers: &str) -> String {
    format!(
        "POST /anthropic/v1/messages HTTP/1.1\r\nhost: mock\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ask(extra: &str) -> String {
    let body = format!(r#"{{"model":"claude-sonnet-4-5","max_tokens":1024,{QUESTION}{extra}}}"#);
    send(&body, "x-api-key: sk-test\r\nanthropic-version: 2023-06-01\r\n")
}

fn story(script: Script, extra: &str) -> String {
    observe(script, &ask(extra), SECOND).seen.full_story()
}

/// A message with nothing but what the format has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    role: String,
    model: String,
    content: Vec<Block>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    usage: Usage,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Block {
    Text {
        text: String,
    },
    Thinking {
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "these are the format's names")]
struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Event {
    MessageStart { message: Message },
    Ping {},
    ContentBlockStart { index: usize, content_block: Block },
    ContentBlockDelta { index: usize, delta: Delta },
    ContentBlockStop { index: usize },
    MessageDelta { delta: End, usage: Usage },
    MessageStop {},
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::enum_variant_names, reason = "these are the format's names")]
enum Delta {
    TextDelta { text: String },
    ThinkingDelta { thinking: String },
    SignatureDelta { signature: String },
    InputJsonDelta { partial_json: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

/// Puts a stream together as a client does, and refuses whatever is out of order.
fn assemble(stream: &Stream) -> Message {
    let mut message: Option<Message> = None;
    let (mut open, mut json, mut stopped) = (None, String::new(), false);
    for (name, data) in &stream.events {
        let event: Event = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
        assert_eq!(name, serde_json::from_str::<Value>(data).unwrap()["type"].as_str().unwrap());
        assert!(!stopped, "{data} after the end");
        match (event, message.as_mut()) {
            (Event::MessageStart { message: start }, None) => message = Some(start),
            (Event::Ping {}, _) => {}
            (Event::ContentBlockStart { index, content_block }, Some(message)) => {
                assert_eq!((open, index), (None, message.content.len()));
                message.content.push(content_block);
                open = Some(index);
            }
            (Event::ContentBlockDelta { index, delta }, Some(message)) => {
                assert_eq!(open, Some(index));
                match (delta, &mut message.content[index]) {
                    (Delta::TextDelta { text: more }, Block::Text { text }) => text.push_str(&more),
                    (Delta::ThinkingDelta { thinking: more }, Block::Thinking { thinking, .. }) => {
                        thinking.push_str(&more);
                    }
                    (Delta::SignatureDelta { signature: more }, Block::Thinking { signature, .. }) => {
                        signature.push_str(&more);
                    }
                    (Delta::InputJsonDelta { partial_json }, Block::ToolUse { .. }) => json += &partial_json,
                    other => panic!("{other:?}"),
                }
            }
            (Event::ContentBlockStop { index }, Some(message)) => {
                assert_eq!(open.take(), Some(index));
                if let Block::ToolUse { input, .. } = &mut message.content[index] {
                    *input = serde_json::from_str(&std::mem::take(&mut json)).unwrap();
                }
            }
            (Event::MessageDelta { delta, usage }, Some(message)) => {
                assert_eq!(open, None);
                (message.stop_reason, message.stop_sequence) = (delta.stop_reason, delta.stop_sequence);
                message.usage = usage;
            }
            (Event::MessageStop {}, Some(_)) => stopped = true,
            (event, _) => panic!("{event:?}"),
        }
    }
    assert!(stopped);
    message.unwrap()
}

fn single(script: Script, extra: &str) -> Message {
    serde_json::from_str(&body_of(&observe(script, &ask(extra), SECOND).seen.text())).unwrap()
}

fn streamed(script: Script, extra: &str) -> Message {
    let text = observe(script, &ask(&format!(r#"{extra},"stream":true"#)), SECOND).seen.text();
    assemble(&stream_of(&text))
}

#[test]
fn a_message_that_is_not_streamed_m1() {
    insta::assert_snapshot!("anthropic_single", story(script(""), ""));
}

#[test]
fn a_message_that_is_streamed_m1() {
    insta::assert_snapshot!("anthropic_stream", story(script(""), r#","stream":true"#));
}

#[test]
fn a_thinking_stream_of_messages_m1() {
    insta::assert_snapshot!("anthropic_thinking_stream", story(thinking(), r#","stream":true"#));
}

#[test]
fn calls_in_a_stream_of_messages_m1() {
    let extra = format!(r#","stream":true{TOOL}"#);

    insta::assert_snapshot!("anthropic_tools_stream", story(calling(), &extra));
}

#[test]
fn a_stream_of_messages_builds_what_is_said_at_once_m1() {
    for (script, extra) in [
        (script as fn(&str) -> Script, String::new()),
        (|_| thinking(), String::new()),
        (|_| calling(), TOOL.to_owned()),
        (|_| Script::default(), QUIET.to_owned()),
    ] {
        let (whole, built) = (single(script(""), &extra), streamed(script(""), &extra));

        assert_eq!(whole.content, built.content);
        assert_eq!((whole.stop_reason, whole.stop_sequence), (built.stop_reason, built.stop_sequence));
        assert_eq!(whole.usage.output_tokens, built.usage.output_tokens);
        assert_eq!((whole.kind.as_str(), whole.role.as_str()), ("message", "assistant"));
        assert_eq!((whole.model.as_str(), built.model.as_str()), ("deepseek-flash", "deepseek-flash"));
        assert_eq!((whole.id, whole.usage.cache_creation_input_tokens), (built.id, 0));
        assert!(whole.usage.input_tokens > 0 && whole.usage.cache_read_input_tokens == 0);
    }
}

#[test]
fn thinking_is_signed_with_the_id_of_the_message_m1() {
    let message = streamed(thinking(), "");

    let signed = Block::Thinking { thinking: "A week".into(), signature: message.id.clone() };
    assert_eq!(message.content[0], signed);
    assert_eq!(uuid::Uuid::parse_str(&message.id).unwrap().to_string(), message.id);
}

#[test]
fn models_of_anthropic_are_answered_by_those_of_deepseek_m1() {
    let answered = |name: &str| {
        let body = format!(r#"{{"model":"{name}","max_tokens":10,{QUESTION}}}"#);
        let text = observe(script(""), &send(&body, "x-api-key: sk-test\r\n"), SECOND).seen.text();
        body_of(&text)
    };

    for name in ["claude-opus-4-1", "claude-haiku-4-5", "claude-3-5-sonnet-latest", "deepseek-flash"] {
        assert!(answered(name).contains(r#""model":"deepseek-flash""#), "{name}: {}", answered(name));
    }
    assert!(answered("gpt-6").contains("but you passed gpt-6."), "{}", answered("gpt-6"));
}

#[test]
fn why_a_message_ends_is_told_in_anthropic_s_words_m1() {
    let stopped = single(script(""), r#","stop_sequences":[" 12"]"#);
    assert_eq!(
        (stopped.stop_reason.as_deref(), stopped.stop_sequence.as_deref()),
        (Some("stop_sequence"), Some(" 12"))
    );

    let finish = |reason: &str| single(finished(reason), "").stop_reason.unwrap();
    for (reason, word) in [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("insufficient_system_resource", "insufficient_system_resource"),
    ] {
        assert_eq!(finish(reason), word);
    }
    assert_eq!(single(calling(), TOOL).stop_reason.as_deref(), Some("tool_use"));
}

#[test]
fn a_bearer_goes_before_an_api_key_and_either_will_do_m2() {
    let status = |headers: &str| {
        let body = format!(r#"{{"model":"deepseek-flash","max_tokens":10,{QUESTION}}}"#);
        status_of(&observe(script(""), &send(&body, headers), SECOND).seen.text())
    };

    assert_eq!(status("x-api-key: sk-a\r\n"), 200);
    assert_eq!(status("authorization: Bearer sk-a\r\nx-api-key: nonsense\r\n"), 200);
    assert_eq!(status("authorization: Bearer nonsense\r\nx-api-key: sk-a\r\n"), 401);
    assert_eq!(status("x-api-key: nonsense\r\n"), 401);
    assert_eq!(status(""), 401);
}

#[test]
fn what_deepseek_ignores_changes_nothing_m1() {
    let ignored = r#","top_k":5,"container":"c","mcp_servers":[],"service_tier":"auto","metadata":{"user_id":"u-1","x":1},"system":[{"type":"text","text":"Be kind.","cache_control":{"type":"ephemeral"}}],"thinking":{"type":"enabled","budget_tokens":1},"temperature":2"#;

    assert_eq!(single(thinking(), ignored).content, single(thinking(), "").content);
}

#[test]
fn what_is_wrong_with_a_message_is_told_in_deepseek_s_words_m2() {
    let table = [
        (r#"{"max_tokens":1,"messages":[]}"#, "missing field `model` at line 1 column 30"),
        (r#"{"model":"claude-opus-4","messages":[]}"#, "missing field `max_tokens` at line 1 column 39"),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"messages":[{"role":"system","content":"x"}]}"#,
            "messages[0].role: unknown variant `system`, expected `user` or `assistant` at line 1 column 68",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"messages":[{"role":"user","content":[{"type":"video"}]}]}"#,
            "messages[0].content[0].type: unknown variant `video`, expected one of",
        ),
        (r#"{"model":"claude-opus-4","max_tokens":1,"messages":[]}"#, "Empty input messages"),
        (
            r#"{"model":"claude-opus-4","max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#,
            "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"temperature":2.1,"messages":[{"role":"user","content":"x"}]}"#,
            "Invalid temperature value, the valid range of temperature is [0, 2]",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"metadata":{"user_id":"a b"},"messages":[{"role":"user","content":"x"}]}"#,
            "Invalid 'user_id': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"tools":[{"name":"t","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"},"messages":[{"role":"user","content":"x"}]}"#,
            "Thinking mode does not support this tool_choice",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"t","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"1"}]}]}"#,
            "The `content[].thinking` in the thinking mode must be passed back to the API.",
        ),
        (
            r#"{"model":"claude-opus-4","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"t","input":{}}]},{"role":"user","content":"well?"}]}"#,
            "(insufficient tool messages following tool_calls message)",
        ),
    ];

    for (body, wanted) in table {
        let text = observe(script(""), &send(body, "x-api-key: sk-test\r\n"), SECOND).seen.text();
        assert_refused(&text, wanted);
    }
}

#[test]
fn a_call_that_is_sent_back_with_its_thinking_and_result_is_read_m1() {
    let body = r#"{"model":"claude-opus-4","max_tokens":64,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"see"},{"type":"tool_use","id":"c","name":"t","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"week 12"}]},{"type":"text","text":"so which week?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":""}}]}]}"#;
    let script =
        Script::from_toml("[[rules]]\nmatch = { contains = \"so which week?\" }\nreply = { text = \"12\" }")
            .unwrap();

    let observed = observe(script, &send(body, "x-api-key: sk-test\r\n"), SECOND);

    assert!(
        body_of(&observed.seen.text()).contains(r#"{"type":"text","text":"12"}"#),
        "{}",
        observed.seen.text()
    );
    assert_eq!(observed.journal[0].rule.as_deref(), Some("rule 1"));
}
