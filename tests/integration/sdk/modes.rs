//! The modes of the API through the SDKs: tools, JSON, log probabilities, completions of a gap or a prefix.

use serde_json::{Value, json};

use super::{
    Sdk,
    calls::{Case, check, says},
    program::TEXT,
};

/// Two calls at once.
const CALLS: &str = "[{ name = \"find_week\", arguments = { day = 84 } }, { name = \"count_kicks\", arguments = { hours = 2 } }]";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = tools();
    cases.extend(texts());
    cases.extend(refusals());
    cases
}

/// Writes a script that thinks and calls these tools without a word, so many times, and then says the usual text.
pub(super) fn calls(calls: &str, times: usize) -> String {
    let reply = format!("reply = {{ text = \"\", thinking = \"Let me look.\", calls = {calls} }}");
    format!("[[rules]]\ntimes = {times}\n{reply}\n{}", says(""))
}

/// Writes a script that says this.
fn text(text: &str) -> String {
    format!("[default]\nreply = {{ text = '{text}', thinking = \"\" }}\n")
}

fn tools() -> Vec<Case> {
    let week = json!(["call_00_", "function", "find_week", {"day": 84}]);
    let kicks = json!(["call_01_", "function", "count_kicks", {"hours": 2}]);
    let one = "[{ name = \"find_week\", arguments = { day = 84 } }]";
    let single = |calls: &Value| json!({"finish": "tool_calls", "calls": calls});
    let streamed = |calls: &Value| json!({"finish": "tool_calls", "calls": calls, "in pieces": true});
    let round = json!({"forgotten thinking is refused": true, "text": TEXT, "finish": "stop"});
    let (alone, both) = (json!([week]), json!([week, kicks]));
    vec![
        Case::new("a tool", "tools", single(&alone)).script(calls(one, 1)),
        Case::new("two tools", "tools", single(&both)).script(calls(CALLS, 1)),
        Case::new("a tool in a stream", "tools_in_a_stream", streamed(&alone)).script(calls(one, 1)),
        Case::new("two tools in a stream", "tools_in_a_stream", streamed(&both)).script(calls(CALLS, 1)),
        Case::new("a strict tool", "strict_tools", single(&alone)).script(calls(one, 1)),
        Case::new("a round of tools", "a_round_of_tools", round).script(calls(CALLS, 1)).requests(3),
    ]
}

fn texts() -> Vec<Case> {
    let weighed = json!({"text": TEXT, "all below zero": true, "alternatives": [2], "bytes": TEXT});
    let gap = json!({"object": "text_completion", "text": TEXT, "finish": "stop", "streamed": TEXT});
    vec![
        Case::new("JSON", "json_mode", json!({"week": 12})).script(text("{\"week\": 12}")),
        Case::new("log probabilities", "log_probabilities", json!({"single": weighed, "streamed": weighed}))
            .requests(2),
        Case::new("a gap", "a_gap", gap).requests(2),
        Case::new("a prefix", "a_prefix", json!("12, and all is well.")).script(text("12, and all is well.")),
    ]
}

/// What DeepSeek refuses of these modes.
fn refusals() -> Vec<Case> {
    let invalid = |message: &str| json!(["BadRequestError", 400, "invalid_request_error", message]);
    let refused =
        |name, body, message| Case::new(name, "ask", invalid(message)).arguments(json!({"body": body}));
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}});
    let mut strict = tool.clone();
    strict["function"]["strict"] = true.into();
    let call = json!({"id": "call_00_x", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let user = json!({"role": "user", "content": "Hello?"});
    vec![
        refused(
            "a schema",
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}}),
            "This response_format type is unavailable now",
        ),
        refused(
            "a strict tool outside beta",
            json!({"tools": [strict]}),
            "strict mode of function calling is only available when using beta api (set \
             base_url=\"https://api.deepseek.com/beta\")",
        ),
        refused(
            "a tool that must be called while thinking",
            json!({"tools": [tool], "tool_choice": "required"}),
            "Thinking mode does not support this tool_choice",
        ),
        refused(
            "a call without its result",
            json!({"messages": [user, {"role": "assistant", "content": "", "tool_calls": [call]}, user]}),
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
             'tool_call_id'. (insufficient tool messages following tool_calls message)",
        ),
    ]
}

#[test]
fn openai_python_uses_every_mode_m1() {
    check(Sdk::Python, &cases());
}

#[test]
fn openai_node_uses_every_mode_m1() {
    check(Sdk::Node, &cases());
}
