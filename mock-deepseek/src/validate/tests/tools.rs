//! Tools: their names and schemas, the choice among them, strict mode.

use serde_json::{Value, json};

use super::{BETA, NOW, OLD, chat_outcome, table};

/// A tool of this schema.
fn tool(parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": "f", "parameters": parameters}})
}

fn strict(parameters: &Value) -> Value {
    let mut tool = tool(parameters);
    tool["function"]["strict"] = json!(true);
    tool
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
