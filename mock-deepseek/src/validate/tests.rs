//! One row per rule, in the words of the API (DEEPSEEK A2, A4, A7), for both profiles.

use serde_json::{Value, json};

use super::*;

const NOW: Door = Door { profile: ApiProfile::Current, beta: false };
const BETA: Door = Door { profile: ApiProfile::Current, beta: true };
const OLD: Door = Door { profile: ApiProfile::Y2025, beta: false };

/// A request of the profile's usual model with these fields set; `null` takes one away.
fn body(door: Door, changes: &Value) -> Vec<u8> {
    let model = if door.profile == ApiProfile::Current { "deepseek-flash" } else { "deepseek-chat" };
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    serde_json::to_vec(&body).unwrap()
}

/// Returns status and message of a refusal, or 200.
fn outcome(result: Result<(), Notice>) -> (u16, String) {
    let Err(notice) = result else { return (200, String::new()) };
    let body = notice.body(None);
    match serde_json::from_str::<Value>(&body) {
        Err(_) => (notice.status, format!("text: {body}")),
        Ok(json) => {
            let error = &json["error"];
            assert_eq!((&error["param"], &error["code"]), (&Value::Null, &json!("invalid_request_error")));
            assert_eq!(error["type"], "invalid_request_error");
            (notice.status, error["message"].as_str().unwrap().to_owned())
        }
    }
}

fn chat_outcome(door: Door, changes: &Value) -> (u16, String) {
    outcome(chat(&body(door, changes), door).map(drop))
}

fn table(rows: &[(Door, Value, u16, &str)]) {
    for (door, changes, status, message) in rows {
        let expected = (*status, (*message).to_owned());
        assert_eq!(without_column(chat_outcome(*door, changes)), expected, "{changes}");
    }
}

/// Takes away the number after `column`; the rows would otherwise have to count their letters.
fn without_column((status, mut message): (u16, String)) -> (u16, String) {
    if let Some(place) = message.find(" column ") {
        assert!(message[place + 8..].parse::<usize>().unwrap() > 0, "{message}");
        message.truncate(place + 7);
    }
    (status, message)
}

/// A tool of this schema.
fn tool(parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": "f", "parameters": parameters}})
}

fn strict(parameters: &Value) -> Value {
    let mut tool = tool(parameters);
    tool["function"]["strict"] = json!(true);
    tool
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}})
}

#[test]
fn a_missing_key_is_31_bytes_of_text_without_a_type_m2() {
    let notice = key(None, ApiProfile::Current).unwrap_err();

    assert_eq!((notice.status, notice.content_type, notice.body(Some("x")).len()), (401, None, 31));
}

#[test]
fn a_bad_key_is_echoed_by_its_last_four_characters_m2() {
    let body = |profile| key(Some("Bearer nonsense-cd15"), profile).unwrap_err().body(None);

    insta::assert_snapshot!(body(ApiProfile::Current), @r#"{"error":{"message":"Authentication Fails, Your api key: ****cd15 is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
    insta::assert_snapshot!(body(ApiProfile::Y2025), @r#"{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
}

#[test]
fn a_message_may_end_with_the_id_of_the_request_m2() {
    let notice = key(Some("Basic abc"), ApiProfile::Current).unwrap_err();

    insta::assert_snapshot!(notice.body(Some("1-2-3")), @r#"{"error":{"message":"Authentication Fails (auth header format should be Bearer sk-...) (request_id: 1-2-3)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#);
}

#[test]
fn any_key_of_the_right_form_is_good() {
    assert_eq!(key(Some("Bearer sk-test"), ApiProfile::Current), Ok("sk-test"));
    assert_eq!(key(Some("Basic abc"), ApiProfile::Current).unwrap_err().status, 401);
    assert_eq!(key(Some("Bearer sk-"), ApiProfile::Current).unwrap_err().status, 401);
}

#[test]
fn a_body_that_is_not_json_by_its_type_is_refused() {
    assert_eq!(content_type(Some("text/plain")).unwrap_err().status, 415);
    assert_eq!(content_type(Some("application/json; charset=utf-8")), Ok(()));
}

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

#[test]
fn models_are_those_of_the_profile_m2() {
    table(&[
        (
            NOW,
            json!({"model": "gpt-5"}),
            400,
            "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed gpt-5.",
        ),
        (
            NOW,
            json!({"model": "deepseek-chat"}),
            400,
            "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed deepseek-chat.",
        ),
        (OLD, json!({"model": "deepseek-flash"}), 400, "Model Not Exist"),
        (OLD, json!({"model": "deepseek-reasoner"}), 200, ""),
        (NOW, json!({"model": "deepseek-v4-flash"}), 200, ""),
        (NOW, json!({"model": "deepseek-v4-flash-vision-exp"}), 200, ""),
    ]);
    let pro = chat(&body(NOW, &json!({"model": "deepseek-v4-pro+stall"})), NOW).unwrap();
    assert_eq!(pro.resolved.model, "deepseek-flash");
}

#[test]
fn numbers_have_ranges_m2() {
    table(&[
        (NOW, json!({"n": 2}), 400, "Invalid n value (currently only n = 1 is supported)"),
        (
            NOW,
            json!({"max_tokens": 0}),
            400,
            "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]",
        ),
        (
            NOW,
            json!({"max_tokens": 393_217}),
            400,
            "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]",
        ),
        (NOW, json!({"max_tokens": 393_216}), 200, ""),
        (
            OLD,
            json!({"max_tokens": 8193}),
            400,
            "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
        ),
        (OLD, json!({"max_tokens": 8192}), 200, ""),
        (
            NOW,
            json!({"temperature": 2.1}),
            400,
            "Invalid temperature value, the valid range of temperature is [0, 2]",
        ),
        (
            NOW,
            json!({"temperature": -0.1}),
            400,
            "Invalid temperature value, the valid range of temperature is [0, 2]",
        ),
        (NOW, json!({"temperature": 2}), 200, ""),
        (NOW, json!({"top_p": 0}), 400, "Invalid top_p value, the valid range of top_p is (0, 1.0]"),
        (NOW, json!({"top_p": 1.5}), 400, "Invalid top_p value, the valid range of top_p is (0, 1.0]"),
        (NOW, json!({"top_p": 0.1}), 200, ""),
        (
            NOW,
            json!({"presence_penalty": 2.1}),
            400,
            "Invalid presence_penalty value, the valid range of presence_penalty is [-2, 2]",
        ),
        (
            NOW,
            json!({"frequency_penalty": -2.1}),
            400,
            "Invalid frequency_penalty value, the valid range of frequency_penalty is [-2, 2]",
        ),
        (NOW, json!({"presence_penalty": -2, "frequency_penalty": 2}), 200, ""),
    ]);
}

#[test]
fn lists_have_lengths_and_some_settings_need_others_m2() {
    table(&[
        (NOW, json!({"stop": vec!["x"; 17]}), 400, "ChatCompletionStopSequences string array too long: 17"),
        (NOW, json!({"stop": vec!["x"; 16]}), 200, ""),
        (
            NOW,
            json!({"top_logprobs": 5}),
            400,
            "Invalid top_logprobs and logprobs value, logprobs must be set to true if top_logprobs is used.",
        ),
        (
            NOW,
            json!({"logprobs": true, "top_logprobs": 21}),
            400,
            "Invalid top_logprobs value, the valid range of top_logprobs is [0, 20].",
        ),
        (NOW, json!({"logprobs": true, "top_logprobs": 20}), 200, ""),
        (
            NOW,
            json!({"stream_options": {"include_usage": true}}),
            400,
            "stream_options should be set along with stream = true",
        ),
        (NOW, json!({"stream": true, "stream_options": {"include_usage": true}}), 200, ""),
        (
            NOW,
            json!({"user_id": "a b"}),
            400,
            "Invalid 'user_id': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
        (NOW, json!({"user_id": "A-b_9"}), 200, ""),
        (
            NOW,
            json!({"seed": 1, "logit_bias": {}, "parallel_tool_calls": true, "max_completion_tokens": -3}),
            200,
            "",
        ),
    ]);
}

#[test]
fn the_format_is_text_or_json_with_the_word_in_the_prompt_m2() {
    let json_object = json!({"type": "json_object"});
    let asked = |text: &str| json!([{"role": "system", "content": text}, {"role": "user", "content": "hi"}]);
    table(&[
        (
            NOW,
            json!({"response_format": {"type": "json_schema"}}),
            400,
            "This response_format type is unavailable now",
        ),
        (
            NOW,
            json!({"response_format": json_object}),
            400,
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        ),
        (NOW, json!({"response_format": json_object, "messages": asked("Answer in JSON.")}), 200, ""),
        (NOW, json!({"response_format": {"type": "text"}}), 200, ""),
    ]);
}

#[test]
fn tools_are_few_and_named_well_m2() {
    let object = json!({"type": "object"});
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let many = |count: usize| (0..count).map(|n| named(&format!("f{n}"))).collect::<Vec<_>>();
    table(&[
        (
            NOW,
            json!({"tools": many(129)}),
            400,
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
        ),
        (NOW, json!({"tools": many(128)}), 200, ""),
        (
            NOW,
            json!({"tools": [named("a b")]}),
            400,
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
        (NOW, json!({"tools": [named("a"), named("a")]}), 400, "Tool names must be unique"),
        (
            NOW,
            json!({"tools": [tool(&json!({"type": "string"}))]}),
            400,
            "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"string\"'.",
        ),
        (
            OLD,
            json!({"model": "deepseek-reasoner", "tools": [tool(&object)]}),
            400,
            "deepseek-reasoner does not support Function Calling",
        ),
        (OLD, json!({"tools": [tool(&object)], "tool_choice": "required"}), 200, ""),
    ]);
}

#[test]
fn a_tool_cannot_be_demanded_while_thinking_which_is_the_default_m2() {
    let tools = [tool(&json!({"type": "object"}))];
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let refusal = "Thinking mode does not support this tool_choice";
    table(&[
        (NOW, json!({"tools": tools, "tool_choice": "required"}), 400, refusal),
        (NOW, json!({"tools": tools, "tool_choice": named("f")}), 400, refusal),
        (NOW, json!({"tools": tools, "tool_choice": named("f"), "thinking": {"type": "disabled"}}), 200, ""),
        (NOW, json!({"tools": tools, "tool_choice": "required", "reasoning_effort": "none"}), 200, ""),
        (NOW, json!({"tools": tools, "tool_choice": "auto"}), 200, ""),
        (NOW, json!({"tools": tools, "tool_choice": "none"}), 200, ""),
        (NOW, json!({"tool_choice": "required"}), 200, ""),
        (
            NOW,
            json!({"tools": tools, "tool_choice": named("g")}),
            400,
            "tool_choice: no tool named 'g' was specified",
        ),
    ]);
}

#[test]
fn strict_mode_is_on_the_beta_path_with_a_part_of_json_schema_m2() {
    let closed = |properties: Value, required: Value| {
        strict(
            &json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        )
    };
    let fine = closed(json!({"a": {"type": "integer", "minimum": 1}}), json!(["a"]));
    let wrong = |why: &str| format!("Invalid tool parameters schema : {why} (function 'f')");
    let open = strict(&json!({"type": "object", "properties": {}}));
    let rows = [
        (NOW, json!({"tools": [fine]}), "strict mode of function calling is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")".to_owned()),
        (BETA, json!({"tools": [fine, {"type": "function", "function": {"name": "g"}}]}), "In strict mode, `strict` must be set to true for all functions".to_owned()),
        (BETA, json!({"tools": [open]}), wrong("field `additionalProperties`: must be false")),
        (BETA, json!({"tools": [closed(json!({"a": {"type": "string"}}), json!([]))]}), wrong("field `required`: property `a` must be in it")),
        (BETA, json!({"tools": [closed(json!({"a": {"type": "string", "minLength": 1}}), json!(["a"]))]}), wrong("field `minLength`: not supported in strict mode")),
        (BETA, json!({"tools": [closed(json!({"a": {"type": "array", "items": {"type": "string"}, "minItems": 1}}), json!(["a"]))]}), wrong("field `minItems`: not supported in strict mode")),
        (BETA, json!({"tools": [closed(json!({"a": {"type": "string", "format": "date"}}), json!(["a"]))]}), wrong("field `format`: `date` is not supported")),
        (BETA, json!({"tools": [closed(json!({"a": {}}), json!(["a"]))]}), wrong("missing field `type`")),
    ];

    for (door, changes, message) in rows {
        assert_eq!(chat_outcome(door, &changes), (400, message), "{changes}");
    }
    assert_eq!(chat_outcome(BETA, &json!({"tools": [fine]})).0, 200);
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

#[test]
fn a_reply_without_a_limit_gets_the_one_of_its_mode_m2() {
    let budget = |door, changes: Value| chat(&body(door, &changes), door).unwrap().resolved.budget;

    assert_eq!(budget(NOW, json!({})), Some(65_536));
    assert_eq!(budget(NOW, json!({"reasoning_effort": "max"})), Some(131_072));
    assert_eq!(budget(NOW, json!({"thinking": {"type": "disabled"}})), Some(8192));
    assert_eq!(budget(OLD, json!({})), Some(4096));
    assert_eq!(budget(NOW, json!({"max_tokens": 7})), Some(7));
}

#[test]
fn text_completions_have_rules_of_their_own_m2() {
    let outcome =
        |door, body: Value| outcome(completion(&serde_json::to_vec(&body).unwrap(), door).map(drop));
    let with = |name: &str, value: Value| {
        let mut body = json!({"model": "deepseek-flash", "prompt": "fn a() {"});
        body[name] = value;
        body
    };
    let rows = [
        (
            NOW,
            with("suffix", json!("}")),
            400,
            "completions api is only available when using beta api (set base_url=\"https://api.deepseek.com/beta\")",
        ),
        (BETA, with("suffix", json!("}")), 200, ""),
        (
            BETA,
            json!({"model": "deepseek-flash"}),
            400,
            "Failed to deserialize the JSON body into the target type: missing field `prompt` at line 1 column",
        ),
        (
            BETA,
            with("max_tokens", json!(4097)),
            400,
            "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
        ),
        (
            BETA,
            with("logprobs", json!(21)),
            400,
            "Invalid logprobs value, the valid range of logprobs is [0, 20].",
        ),
        (
            BETA,
            with("model", json!("gpt")),
            400,
            "The supported API model names are deepseek-flash or deepseek-v4-pro, but you passed gpt.",
        ),
    ];

    for (door, body, status, message) in rows {
        assert_eq!(without_column(outcome(door, body.clone())), (status, message.to_owned()), "{body}");
    }
}
