//! The other surfaces of the API through the SDKs: the Responses format, and the Anthropic format by its own SDK.

use serde_json::json;

use super::{
    Sdk,
    calls::{Case, check},
    program::TEXT,
};

pub(super) fn cases() -> Vec<Case> {
    let responses = json!({
        "object": "response", "status": "completed", "text": TEXT, "bill": true,
        "ends": ["response.created", "response.completed"], "counted": true, "streamed": TEXT, "whole": TEXT,
    });
    let messages = json!({
        "kind": ["message", "assistant"], "text": TEXT, "stop": "end_turn", "counted": true,
        "streamed": TEXT, "last": "end_turn",
    });
    vec![
        Case::new("responses", "responses", responses).requests(2),
        Case::new("messages", "messages", messages).requests(2).only(Sdk::Python),
        Case::new("messages, refused", "messages_refused", json!(["AuthenticationError", 401]))
            .only(Sdk::Python),
    ]
}

#[test]
fn openai_python_and_anthropic_python_use_the_other_surfaces_m1() {
    check(Sdk::Python, &cases());
}

#[test]
fn openai_node_uses_the_responses_m1() {
    check(Sdk::Node, &cases());
}
