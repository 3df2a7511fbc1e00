//! The other surfaces of the API through the SDKs: the Responses format, the files, the API as it was in 2025, and the
//! Anthropic format by its own SDK.

use serde_json::json;

use super::{
    Sdk,
    calls::{Case, check, says},
    modes::calls,
    program::TEXT,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = responses();
    cases.extend(messages());
    cases.push(files());
    cases.extend(as_it_was());
    cases
}

fn responses() -> Vec<Case> {
    let whole = json!({
        "object": "response", "status": "completed", "text": TEXT, "bill": true,
        "ends": ["response.created", "response.completed"], "counted": true, "streamed": TEXT, "whole": TEXT,
    });
    let called = json!([["reasoning", "Let me look."], ["function_call", ["find_week", {"day": 84}]]]);
    let tools = json!({"whole": called, "streamed": called, "last": [["message", TEXT]]});
    let script = calls("[{ name = \"find_week\", arguments = { day = 84 } }]", 2);
    vec![
        Case::new("responses", "responses", whole).requests(2),
        Case::new("tools of responses", "tools_of_responses", tools).script(script).requests(3),
        Case::new(
            "responses, refused",
            "responses_refused",
            json!(["BadRequestError", 400, "invalid_request_error"]),
        ),
    ]
}

fn messages() -> [Case; 2] {
    let messages = json!({
        "kind": ["message", "assistant"], "text": TEXT, "stop": "end_turn", "counted": true,
        "streamed": TEXT, "last": "end_turn",
    });
    [
        Case::new("messages", "messages", messages).requests(2).only(Sdk::Python),
        Case::new("messages, refused", "messages_refused", json!(["AuthenticationError", 401]))
            .only(Sdk::Python),
    ]
}

fn files() -> Case {
    let seen = json!({
        "stored": ["file", "kicks.txt", 9, "user_data"], "listed": true, "found": true, "gone": true, "missing": 404,
    });
    Case::new("files", "files", seen).requests(5)
}

/// What was other in 2025.
fn as_it_was() -> Vec<Case> {
    let by = |model: &str| json!({"body": {"model": model}});
    let models = json!([["deepseek-chat", "model", "deepseek"], ["deepseek-reasoner", "model", "deepseek"]]);
    let thoughts = json!({"reasoning": "Limes are small.", "text": TEXT});
    // The SDKs put the messages before and behind the model.
    let unread = |column: usize| {
        let message = format!(
            "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, \
             expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder` at line 1 column {column}"
        );
        json!(["UnprocessableEntityError", 422, null, message])
    };
    let developer = json!({"model": "deepseek-chat", "messages": [{"role": "developer", "content": "?"}]});
    let cases = vec![
        Case::new("2025: the models", "models", models),
        Case::new("2025: an answer", "ask", json!(TEXT)).arguments(by("deepseek-chat")),
        Case::new("2025: thinking", "thinking", thoughts)
            .script(says("Limes are small."))
            .arguments(by("deepseek-reasoner")),
        Case::new(
            "2025: no such model",
            "ask",
            json!(["BadRequestError", 400, "invalid_request_error", "Model Not Exist"]),
        ),
        Case::new("2025: no such role", "ask", unread(32))
            .in_node(unread(56))
            .arguments(json!({"body": developer})),
    ];
    cases.into_iter().map(Case::in_2025).collect()
}

#[test]
fn openai_python_and_anthropic_python_use_the_other_surfaces_m1() {
    check(Sdk::Python, &cases());
}

#[test]
fn openai_node_uses_the_other_surfaces_m1() {
    check(Sdk::Node, &cases());
}
