//! OpenAI's Responses format, to the byte (DEEPSEEK A1, A4, A6).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    observe::{observe, observe_api, post_to, script},
    surfaces::{Stream, assert_refused, body_of, calling, finished, status_of, stream_of, thinking},
};
use crate::{ApiProfile, Script};

const SECOND: Duration = Duration::from_secs(1);
const TOOL: &str = r#","tools":[{"type":"function","name":"week","parameters":{"type":"object","properties":{"of":{"type":"string"}},"required":["of"]}},{"type":"web_search"}]"#;

fn ask(extra: &str) -> String {
    post_to("/responses", &format!(r#"{{"model":"deepseek-flash","input":"hi"{extra}}}"#), "")
}

fn story(script: Script, extra: &str) -> String {
    observe(script, &ask(extra), SECOND).seen.full_story()
}

/// A response with nothing but what the format has.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Response {
    id: String,
    object: String,
    created_at: u64,
    status: String,
    error: Option<Fail>,
    incomplete_details: Option<Why>,
    instructions: Option<String>,
    max_output_tokens: Option<u64>,
    metadata: Map<String, Value>,
    model: String,
    output: Vec<Item>,
    parallel_tool_calls: bool,
    previous_response_id: Option<String>,
    reasoning: Value,
    store: bool,
    temperature: f64,
    text: Value,
    tool_choice: Value,
    tools: Vec<Value>,
    top_p: f64,
    truncation: String,
    usage: Option<Usage>,
    user: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Fail {
    code: String,
    message: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Usage {
    input_tokens: u64,
    input_tokens_details: Value,
    output_tokens: u64,
    output_tokens_details: Value,
    total_tokens: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Item {
    Reasoning { id: String, status: String, summary: Vec<Value>, content: Vec<Part> },
    Message { id: String, status: String, role: String, content: Vec<Part> },
    FunctionCall { id: String, status: String, call_id: String, name: String, arguments: String },
}

impl Item {
    fn status(&self) -> &str {
        match self {
            Self::Reasoning { status, .. }
            | Self::Message { status, .. }
            | Self::FunctionCall { status, .. } => status,
        }
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    OutputText { text: String, annotations: Vec<Value>, logprobs: Vec<Value> },
    ReasoningText { text: String },
}

fn response(value: &Value) -> Response {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Follows a stream as a client does: numbers without gaps, items in order, deltas that join to what is told as done.
fn follow(stream: &Stream) -> Response {
    let mut items: Vec<Item> = Vec::new();
    let (mut said, mut last) = (String::new(), None);
    for (number, (name, data)) in stream.events.iter().enumerate() {
        let event: Value = serde_json::from_str(data).unwrap();
        assert_eq!(
            (event["type"].as_str(), event["sequence_number"].as_u64()),
            (Some(name.as_str()), Some(number as u64))
        );
        assert!(last.is_none(), "{data} after the end");
        let index = event["output_index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match name.strip_prefix("response.").unwrap() {
            "created" | "in_progress" => {
                assert_eq!(number, usize::from(name.ends_with("progress")));
                let response = response(&event["response"]);
                assert_eq!(
                    (response.status.as_str(), response.output, response.usage),
                    ("in_progress", vec![], None)
                );
            }
            "output_item.added" => {
                assert_eq!(index, Some(items.len()));
                items.push(serde_json::from_value(event["item"].clone()).unwrap());
                assert_eq!(items.last().unwrap().status(), "in_progress");
                said.clear();
            }
            "content_part.added" => assert_eq!(event["part"]["text"], ""),
            "output_text.delta" | "reasoning_text.delta" | "function_call_arguments.delta" => {
                assert_eq!((index, event["item_id"].is_string()), (Some(items.len() - 1), true));
                said.push_str(event["delta"].as_str().unwrap());
            }
            "output_text.done" | "reasoning_text.done" => assert_eq!(event["text"], said),
            "content_part.done" => assert_eq!(event["part"]["text"], said),
            "function_call_arguments.done" => assert_eq!(event["arguments"], said),
            "output_item.done" => {
                assert_eq!(index, Some(items.len() - 1));
                *items.last_mut().unwrap() = serde_json::from_value(event["item"].clone()).unwrap();
            }
            "completed" | "incomplete" | "failed" => last = Some((name, response(&event["response"]))),
            other => panic!("{other}"),
        }
    }
    let (name, response) = last.unwrap();
    assert_eq!(*name, format!("response.{}", response.status));
    assert_eq!(response.output, items);
    response
}

fn single(script: Script, extra: &str) -> Response {
    response(&serde_json::from_str(&body_of(&observe(script, &ask(extra), SECOND).seen.text())).unwrap())
}

fn streamed(script: Script, extra: &str) -> Response {
    let text = observe(script, &ask(&format!(r#"{extra},"stream":true"#)), SECOND).seen.text();
    assert!(!text.contains("[DONE]"), "{text}");
    follow(&stream_of(&text))
}

#[test]
fn a_response_that_is_not_streamed_m1() {
    insta::assert_snapshot!("responses_single", story(script(""), ""));
}

#[test]
fn a_response_that_is_streamed_m1() {
    insta::assert_snapshot!("responses_stream", story(script(""), r#","stream":true"#));
}

#[test]
fn a_thinking_stream_of_a_response_m1() {
    insta::assert_snapshot!("responses_thinking_stream", story(thinking(), r#","stream":true"#));
}

#[test]
fn calls_in_a_stream_of_a_response_m1() {
    let extra = format!(r#","stream":true{TOOL}"#);

    insta::assert_snapshot!("responses_tools_stream", story(calling(), &extra));
}

#[test]
fn a_stream_of_a_response_builds_what_is_said_at_once_m1() {
    for (script, extra) in [
        (script as fn(&str) -> Script, ""),
        (|_| thinking(), r#","instructions":"Be kind.","metadata":{"a":"b"},"max_output_tokens":50"#),
        (|_| calling(), TOOL),
        (|_| Script::default(), r#","reasoning":{"effort":"none"}"#),
        (|_| finished("length"), ""),
        (|_| finished("content_filter"), ""),
        (|_| finished("insufficient_system_resource"), ""),
    ] {
        assert_eq!(single(script(""), extra), streamed(script(""), extra));
    }
}

#[test]
fn a_response_ends_as_completed_incomplete_or_failed_m1() {
    let cut = streamed(script(""), r#","max_output_tokens":2"#);
    assert_eq!(
        (cut.status.as_str(), cut.incomplete_details.unwrap().reason.as_str()),
        ("incomplete", "max_output_tokens")
    );
    assert_eq!(cut.output.last().unwrap().status(), "incomplete");

    let filtered = streamed(finished("content_filter"), "");
    assert_eq!(filtered.incomplete_details.unwrap().reason, "content_filter");

    let failed = streamed(finished("insufficient_system_resource"), "");
    assert_eq!((failed.status.as_str(), failed.error.unwrap().code.as_str()), ("failed", "server_error"));
}

#[test]
fn a_response_adds_up_m13() {
    let usage = single(thinking(), "").usage.unwrap();

    assert_eq!(usage.output_tokens_details["reasoning_tokens"], 2);
    assert_eq!(usage.output_tokens, 6);
    assert_eq!(usage.input_tokens_details["cached_tokens"], 0);
    assert_eq!(usage.total_tokens, usage.input_tokens + usage.output_tokens);
}

#[test]
fn nothing_is_kept_and_what_is_not_supported_is_ignored_m1() {
    let extra = r#","store":true,"previous_response_id":"resp_1","include":["reasoning.encrypted_content"],"background":false,"service_tier":"auto","prompt_cache_key":"k","safety_identifier":"a b","truncation":"auto","tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}"#;

    let response = single(thinking(), extra);

    assert_eq!((response.store, response.previous_response_id), (false, None));
    assert_eq!(response.output, single(thinking(), "").output);
    let kept = "GET /responses/resp_1 HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n";
    assert_eq!(status_of(&observe(script(""), kept, SECOND).seen.text()), 404);
}

#[test]
fn a_schema_is_taken_and_the_mock_s_own_text_satisfies_it_m1() {
    let extra = r#","text":{"format":{"type":"json_schema","name":"week","schema":{"type":"object","properties":{"week":{"type":"integer","minimum":40}},"required":["week"]}}}"#;

    let Some(Item::Message { content, .. }) = single(Script::default(), extra).output.pop() else { panic!() };

    let Part::OutputText { text, .. } = &content[0] else { panic!("{content:?}") };
    assert_eq!(text, r#"{"week":40}"#);
}

#[test]
fn items_of_earlier_turns_are_read_m1() {
    let body = r#"{"model":"deepseek-flash","input":[{"role":"developer","content":"Be kind."},{"type":"message","role":"user","content":[{"type":"input_text","text":"which week?"},{"type":"input_image","image_url":"data:"}]},{"type":"reasoning","id":"r","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},{"type":"function_call","call_id":"a","name":"week","arguments":"{}"},{"type":"function_call","call_id":"b","name":"week","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"12"},{"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"13"}]},{"type":"item_reference","id":"x"},{"role":"user","content":"so?"}]}"#;
    let script =
        Script::from_toml("[[rules]]\nmatch = { contains = \"so?\" }\nreply = { text = \"13\" }").unwrap();

    let observed = observe(script, &post_to("/v1/responses", body, ""), SECOND);

    assert_eq!(status_of(&observed.seen.text()), 200, "{}", observed.seen.text());
    assert_eq!(observed.journal[0].rule.as_deref(), Some("rule 1"));
}

#[test]
fn what_is_wrong_with_a_response_is_told_in_deepseek_s_words_m2() {
    let forgotten = r#"{"model":"deepseek-flash","input":[{"role":"user","content":"x"},{"type":"function_call","call_id":"a","name":"t","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"}]}"#;
    let table = [
        (r#"{"input":"x"}"#, "missing field `model` at line 1 column 13"),
        (r#"{"model":"deepseek-flash"}"#, "missing field `input` at line 1 column 26"),
        (r#"{"model":"deepseek-flash","input":[]}"#, "Empty input messages"),
        (r#"{"model":"gpt-6","input":"x"}"#, "but you passed gpt-6."),
        (
            r#"{"model":"deepseek-flash","input":[{"role":"bot","content":"x"}]}"#,
            "input[0].role: unknown variant `bot`",
        ),
        (
            r#"{"model":"deepseek-flash","input":"x","temperature":3}"#,
            "the valid range of temperature is [0, 2]",
        ),
        (
            r#"{"model":"deepseek-flash","input":"x","max_output_tokens":0}"#,
            "the valid range of max_tokens is [1, 393216]",
        ),
        (
            r#"{"model":"deepseek-flash","input":"x","text":{"format":{"type":"json_object"}}}"#,
            "Prompt must contain the word 'json'",
        ),
        (
            r#"{"model":"deepseek-flash","input":"x","tools":[{"type":"function","name":"t","parameters":{"type":"object"}}],"tool_choice":"required"}"#,
            "Thinking mode does not support this tool_choice",
        ),
        (forgotten, "The `reasoning_text` in the thinking mode must be passed back to the API."),
    ];

    for (body, wanted) in table {
        let text = observe(script(""), &post_to("/responses", body, ""), SECOND).seen.text();
        assert_refused(&text, wanted);
    }
}

#[test]
fn in_2025_there_were_no_responses_m1() {
    let request = post_to("/responses", r#"{"model":"deepseek-chat","input":"hi"}"#, "");

    let text = observe_api(ApiProfile::Y2025, script(""), &request, SECOND).seen.text();

    assert_eq!(status_of(&text), 404, "{text}");
}
