//! What users of the API ask for, and how it looks through the SDKs.

use serde_json::{Value, json};

use super::{
    Sdk,
    calls::{Case, check, says},
    program::TEXT,
};

const THINKING: &str = "Limes are small. So is the baby.";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = answers();
    cases.extend(thoughts());
    cases.extend(surroundings());
    cases
}

fn answers() -> Vec<Case> {
    let bill = json!({
        "prompt adds up": true, "total adds up": true, "cached": true, "completion": 32, "reasoning": null,
    });
    let streamed_bill =
        json!({"bill": bill, "with the finish": "stop", "elsewhere": false, "null elsewhere": true});
    let silent_bill =
        json!({"bill": bill, "with the finish": "stop", "elsewhere": false, "null elsewhere": false});
    vec![
        Case::new(
            "an answer",
            "chat",
            json!({
                "bare uuid": true, "object": "chat.completion", "model": "deepseek-flash", "fingerprint": "fp_",
                "role": "assistant", "text": TEXT, "reasoning": null, "finish": "stop",
            }),
        ),
        Case::new(
            "a stream",
            "chunks",
            json!({
                "ids": 1, "object": "chat.completion.chunk", "first": ["assistant", ""], "text": TEXT,
                "finishes": [null, "stop"], "streamed": true,
            }),
        ),
        Case::new("the bill", "usage", bill),
        Case::new(
            "the bill of a stream",
            "usage_of_a_stream",
            json!({"asked": streamed_bill, "not asked": silent_bill}),
        )
        .requests(2),
        Case::new("a budget of three tokens", "budget", json!({"finish": "length", "completion": 3})),
    ]
}

fn thoughts() -> Vec<Case> {
    let thoughts = json!({"reasoning": THINKING, "text": TEXT});
    let streamed = json!({"order": ["reasoning", "text"], "reasoning": THINKING, "text": TEXT});
    vec![
        Case::new("thinking", "thinking", thoughts).script(says(THINKING)),
        Case::new("thinking in a stream", "thinking_in_a_stream", streamed).script(says(THINKING)),
        Case::new("thinking by request", "thinking_by_request", json!({"enabled": true, "disabled": false}))
            .script("")
            .requests(2),
    ]
}

fn surroundings() -> Vec<Case> {
    let model = |id: &str| json!([id, "model", "deepseek"]);
    let models: Value = ["deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"].map(model).into();
    let balance = json!({
        "is_available": true,
        "balance_infos": [{
            "currency": "USD", "total_balance": "10.00", "granted_balance": "0.00", "topped_up_balance": "10.00",
        }],
    });
    vec![
        Case::new("the models", "models", models),
        Case::new("the balance", "balance", balance),
        Case::new("all base URLs", "bases", json!(vec!["chat.completion"; 3])).requests(3),
    ]
}

#[test]
fn openai_python_understands_every_reply_m1() {
    check(Sdk::Python, &cases());
}

#[test]
fn openai_node_understands_every_reply_m1() {
    check(Sdk::Node, &cases());
}
