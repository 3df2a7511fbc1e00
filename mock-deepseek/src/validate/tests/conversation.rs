//! The messages of a conversation: their order, and what follows what.

use serde_json::{Value, json};

use super::{BETA, NOW, OLD, chat_outcome, table};

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}})
}

#[test]
fn calls_are_followed_by_their_answers_m2() {
    let user = json!({"role": "user", "content": "hi"});
    let calls = |ids: &[&str]| {
        let calls: Vec<_> = ids.iter().map(|id| call(id)).collect();
        json!({"role": "assistant", "content": "", "reasoning_content": "x", "tool_calls": calls})
    };
    let answer = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "1"});
    let must = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.";
    let insufficient = format!("{must} (insufficient tool messages following tool_calls message)");
    let rows = [
        (json!([user, calls(&["a", "b"]), answer("b"), answer("a")]), String::new()),
        (json!([user, calls(&["a", "b"]), answer("a")]), insufficient.clone()),
        (json!([user, calls(&["a"]), user]), insufficient),
        (json!([user, calls(&["a"]), answer("c")]), format!("{must} Unexpected tool_call_id: c")),
        (json!([user, calls(&["a", "a"]), answer("a")]), "Duplicate value for 'tool_call_id' of a in message[1]".to_owned()),
        (json!([user, calls(&["a", "b"]), answer("a"), answer("a")]), "Duplicate value for 'tool_call_id' of a in message[3]".to_owned()),
        (json!([user, answer("a")]), "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'".to_owned()),
        (json!([user, calls(&[])]), "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.".to_owned()),
        (json!([user, {"role": "assistant"}]), "Invalid assistant message: content or tool_calls must be set".to_owned()),
        (json!([]), "Empty input messages".to_owned()),
    ];

    for (messages, message) in rows {
        let status = if message.is_empty() { 200 } else { 400 };
        assert_eq!(chat_outcome(NOW, &json!({"messages": messages})), (status, message), "{messages}");
    }
}

#[test]
fn thinking_before_a_call_is_sent_back_m2() {
    let messages = json!([
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": "", "tool_calls": [call("a")]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]);
    let off = json!({"messages": messages, "thinking": {"type": "disabled"}});
    table(&[
        (
            NOW,
            json!({"messages": messages}),
            400,
            "The `reasoning_content` in the thinking mode must be passed back to the API.",
        ),
        (NOW, off, 200, ""),
        (OLD, json!({"messages": messages}), 200, ""),
    ]);
}

#[test]
fn a_prefix_stands_last_and_on_the_beta_path_m2() {
    let user = json!({"role": "user", "content": "hi"});
    let prefix = json!({"role": "assistant", "content": "Week", "prefix": true});
    let refusal =
        "prefix is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")";
    table(&[
        (NOW, json!({"messages": [user, prefix]}), 400, refusal),
        (BETA, json!({"messages": [user, prefix]}), 200, ""),
        (
            BETA,
            json!({"messages": [prefix, user]}),
            400,
            "prefix is only available on the last message, which must be an assistant message",
        ),
    ]);
}

#[test]
fn the_old_reasoner_wants_turns_m2() {
    let user = json!({"role": "user", "content": "hi"});
    let assistant = json!({"role": "assistant", "content": "ho"});
    let old = |messages: Value| json!({"model": "deepseek-reasoner", "messages": messages});
    table(&[
        (
            OLD,
            old(json!([user, user])),
            400,
            "deepseek-reasoner does not support successive user or assistant messages (messages[0] and messages[1] in your input). You should interleave the user/assistant messages in the message sequence.",
        ),
        (
            OLD,
            old(json!([user, assistant])),
            400,
            "The last message of deepseek-reasoner must be a user message, or an assistant message with prefix mode on (refer to https://api-docs.deepseek.com/guides/chat_prefix_completion).",
        ),
        (OLD, json!({"messages": [user, user]}), 200, ""),
        (NOW, json!({"messages": [user, user, assistant]}), 200, ""),
    ]);
}

#[test]
fn prompt_and_reply_share_the_window_and_the_refusal_counts_both_m2() {
    let long = |words: usize| json!([{"role": "user", "content": "!".repeat(words)}]);
    table(&[
        (
            OLD,
            json!({"messages": long(122_938), "max_tokens": 8192}),
            400,
            "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
        ),
        (OLD, json!({"messages": long(122_876), "max_tokens": 8192}), 200, ""),
        (
            NOW,
            json!({"messages": long(655_357), "max_tokens": 393_216}),
            400,
            "This model's maximum context length is 1048576 tokens. However, you requested 1048577 tokens (655361 in the messages, 393216 in the completion). Please reduce the length of the messages or completion.",
        ),
        (NOW, json!({"messages": long(655_356), "max_tokens": 393_216}), 200, ""),
    ]);
}
