//! Settings: models, numbers and their ranges, lists, formats.

use serde_json::{Value, json};

use super::{NOW, OLD, body, table};
use crate::validate::chat;

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
        (
            NOW,
            json!({"user_id": ""}),
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
fn a_reply_without_a_limit_gets_the_one_of_its_mode_m2() {
    let budget = |door, changes: Value| chat(&body(door, &changes), door).unwrap().resolved.budget;

    assert_eq!(budget(NOW, json!({})), Some(65_536));
    assert_eq!(budget(NOW, json!({"reasoning_effort": "max"})), Some(131_072));
    assert_eq!(budget(NOW, json!({"thinking": {"type": "disabled"}})), Some(8192));
    assert_eq!(budget(OLD, json!({})), Some(4096));
    assert_eq!(budget(NOW, json!({"max_tokens": 7})), Some(7));
}
