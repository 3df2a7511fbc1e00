//! Text completions.

use serde_json::{Value, json};

use super::{BETA, NOW, outcome, without_column};
use crate::validate::completion;

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
