//! What cannot be read, in the words of serde.

use serde_json::json;

use super::{NOW, OLD, body, outcome, table};
use crate::validate::chat;

#[test]
fn what_cannot_be_read_is_told_by_serde_with_the_path_m2() {
    table(&[
        (
            NOW,
            json!({"messages": null}),
            400,
            "Failed to deserialize the JSON body into the target type: missing field `messages` at line 1 column",
        ),
        (
            OLD,
            json!({"messages": null}),
            422,
            "text: Failed to deserialize the JSON body into the target type: missing field `messages` at line 1 column",
        ),
        (
            NOW,
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            400,
            "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder` at line 1 column",
        ),
        (
            OLD,
            json!({"messages": [{"role": "developer", "content": "x"}]}),
            422,
            "text: Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder` at line 1 column",
        ),
        (
            NOW,
            json!({"messages": [{"role": "user"}]}),
            400,
            "Failed to deserialize the JSON body into the target type: messages[0]: missing field `content` at line 1 column",
        ),
        (
            NOW,
            json!({"messages": [{"role": "tool", "content": "x"}]}),
            400,
            "Failed to deserialize the JSON body into the target type: messages[0]: missing field `tool_call_id` at line 1 column",
        ),
        (
            OLD,
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
            422,
            "text: Failed to deserialize the JSON body into the target type: messages[0]: invalid type: sequence, expected a string at line 1 column",
        ),
        (NOW, json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}), 200, ""),
    ]);
}

#[test]
fn settings_that_cannot_be_read_are_told_by_serde_too_m2() {
    table(&[
        (
            NOW,
            json!({"reasoning_effort": "extreme"}),
            400,
            "Failed to deserialize the JSON body into the target type: reasoning_effort: unknown variant `extreme`, expected one of `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, `ultra` at line 1 column",
        ),
        (
            NOW,
            json!({"thinking": {"type": "some"}}),
            400,
            "Failed to deserialize the JSON body into the target type: thinking.type: unknown variant `some`, expected `enabled` or `disabled` at line 1 column",
        ),
        (
            NOW,
            json!({"logprobs": true, "top_logprobs": -1}),
            400,
            "Failed to deserialize the JSON body into the target type: top_logprobs: invalid value: integer `-1`, expected u8 at line 1 column",
        ),
        (
            NOW,
            json!({"tool_choice": "bogus"}),
            400,
            "Failed to deserialize the JSON body into the target type: tool_choice: expected one of `none`, `auto`, `required` or a tool at line 1 column",
        ),
        (
            NOW,
            json!({"stop": 3}),
            400,
            "Failed to deserialize the JSON body into the target type: stop: invalid type: integer `3`, expected a string or an array of strings at line 1 column",
        ),
    ]);
}

#[test]
fn what_is_not_json_is_told_apart_from_what_does_not_fit_m2() {
    let eof = "Failed to parse the request body as JSON: EOF while parsing an object at line 1 column 1";

    assert_eq!(outcome(chat(b"{", NOW).map(drop)), (400, eof.to_owned()));
    assert_eq!(outcome(chat(b"{", OLD).map(drop)), (400, format!("text: {eof}")));
    let trailing = [body(NOW, &json!({})), b" x".to_vec()].concat();
    assert!(outcome(chat(&trailing, NOW).map(drop)).1.contains("trailing characters"));
}
