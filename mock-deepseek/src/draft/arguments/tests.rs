//! What is made up satisfies its schema, as a validator sees it that shares no code with the maker.

use proptest::prelude::*;

use super::*;

/// Says what is wrong with a value; `root` resolves references.
fn wrong(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return wrong(value, root.pointer(&name[1..]).unwrap(), root);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| wrong(value, choice, root).is_none());
        return (!fits).then(|| format!("{value} fits nothing of {choices:?}"));
    }
    let mut all = schema["allOf"].as_array().into_iter().flatten();
    if let Some(fault) = all.find_map(|part| wrong(value, part, root)) {
        return Some(fault);
    }
    let told = |is: bool, what: &str| (!is).then(|| format!("{value}: {what} of {schema}"));
    told(schema.get("const").is_none_or(|wanted| wanted == value), "const")
        .or_else(|| told(schema["enum"].as_array().is_none_or(|values| values.contains(value)), "enum"))
        .or_else(|| {
            told(kinds_of(schema).is_none_or(|kinds| kinds.iter().any(|kind| is(value, kind))), "type")
        })
        .or_else(|| wrong_inside(value, schema, root))
}

fn kinds_of(schema: &Value) -> Option<Vec<&str>> {
    match &schema["type"] {
        Value::String(kind) => Some(vec![kind]),
        Value::Array(kinds) => Some(kinds.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => value.is_number(),
    }
}

fn wrong_inside(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let bound = |name: &str| schema[name].as_f64();
    let within = |count: usize, least: &str, most: &str| {
        let count = f64::from(u32::try_from(count).unwrap());
        bound(least).is_none_or(|least| count >= least) && bound(most).is_none_or(|most| count <= most)
    };
    let fault = |what: &str| Some(format!("{value}: {what} of {schema}"));
    match value {
        Value::Object(fields) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(name) = required.into_iter().find(|name| !fields.contains_key(*name)) {
                return fault(name);
            }
            let closed = schema["additionalProperties"] == false;
            fields.iter().find_map(|(name, value)| match schema["properties"].get(name) {
                Some(schema) => wrong(value, schema, root),
                None => closed.then(|| format!("{name} is unknown")),
            })
        }
        Value::Array(items) if !within(items.len(), "minItems", "maxItems") => fault("length"),
        Value::Array(items) => {
            if schema["uniqueItems"] == true && (1..items.len()).any(|at| items[..at].contains(&items[at])) {
                return fault("uniqueness");
            }
            let schema = schema.get("items")?;
            items.iter().find_map(|item| wrong(item, schema, root))
        }
        Value::String(text) if !within(text.chars().count(), "minLength", "maxLength") => fault("length"),
        Value::String(text) => {
            let pattern = schema["pattern"].as_str()?;
            if regex::Regex::new(pattern).unwrap().is_match(text) { None } else { fault("pattern") }
        }
        Value::Number(number) => {
            let number = number.as_f64()?;
            let low = bound("minimum").is_none_or(|low| number >= low)
                && bound("exclusiveMinimum").is_none_or(|low| number > low);
            let high = bound("maximum").is_none_or(|high| number <= high)
                && bound("exclusiveMaximum").is_none_or(|high| number < high);
            let steps = bound("multipleOf").is_none_or(|step| (number / step).fract().abs() < 1e-9);
            if low && high && steps { None } else { fault("bounds") }
        }
        Value::Null | Value::Bool(_) => None,
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    let patterns = ["^[A-Z]{3}-\\d{2,4}$", "^(week|day) [0-9]+$", "^\\w+@\\w+\\.com$", "^[^a-c]x?y*$"];
    prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": ["null", "boolean"]})),
        Just(json!({"enum": ["c", "f", 3]})),
        Just(json!({"const": {"a": [1]}})),
        (0_u64..20, 0_u64..20).prop_map(
            |(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})
        ),
        prop::sample::select(patterns.to_vec())
            .prop_map(|pattern| json!({"type": "string", "pattern": pattern})),
        (-50_i64..50, 0_i64..60)
            .prop_map(|(low, more)| json!({"type": "integer", "minimum": low, "maximum": low + more})),
        (-50_i64..50).prop_map(|low| json!({"type": "integer", "exclusiveMinimum": low})),
        (-50_i64..50).prop_map(|high| json!({"type": "integer", "exclusiveMaximum": high})),
        (1_i64..9, -50_i64..50)
            .prop_map(|(step, low)| json!({"type": "integer", "multipleOf": step, "minimum": low})),
        (-50_i64..50, 1_i64..60).prop_map(
            |(low, more)| json!({"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + more})
        ),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(6, 32, 4, |inner| {
        let properties = prop::collection::btree_map("[a-d]", inner.clone(), 0..4);
        prop_oneof![
            properties.prop_map(|properties| {
                let required: Vec<_> = properties.keys().cloned().collect();
                json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            }),
            (inner.clone(), 0_u64..4)
                .prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least})),
            prop::collection::vec(inner, 1..4).prop_map(|choices| json!({"anyOf": choices})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_made_up_satisfies_its_schema_m3(schema in schema()) {
        prop_assert_eq!(wrong(&example(&schema), &schema, &schema), None);
    }
}

#[test]
fn references_are_followed_and_recursion_ends_m3() {
    let schema = json!({
        "type": "object", "required": ["tree", "unit"], "additionalProperties": false,
        "properties": {"tree": {"$ref": "#/$defs/tree"}, "unit": {"allOf": [{"type": "string"}, {"maxLength": 2}]}},
        "$defs": {"tree": {
            "type": "object", "required": ["name", "children", "next"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
            },
        }},
    });

    assert_eq!(wrong(&example(&schema), &schema, &schema), None);
}

#[test]
fn a_list_of_different_things_has_different_things() {
    let schema =
        json!({"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": true});

    assert_eq!(example(&schema), json!(["a", "b", "c"]));
}

#[test]
fn no_schema_gets_a_value_beyond_the_bound() {
    let nested = (0..6)
        .fold(json!({"type": "string"}), |items, _| json!({"type": "array", "minItems": 64, "items": items}));
    let mirror = json!({"$ref": "#"});
    let itself = json!({
        "type": "object", "properties": {"a": mirror, "b": mirror, "c": mirror}, "required": ["a", "b", "c"],
    });
    let all = json!({"type": "object", "required": ["a"], "properties": {"a": {"allOf": [mirror, mirror]}}});
    let long = json!({"type": "array", "minItems": 64, "items": {"type": "string", "minLength": 4096}});

    for schema in [nested, itself, all, long] {
        let value = example(&schema);

        // `null` is free; it stands for what is not said.
        assert!((1..2 * COST_MAX).contains(&cost(&value)), "{}", cost(&value));
    }
}
