//! The part of JSON Schema that strict mode knows (function calling guide of the API documents).
//!
//! Invariant: what passes here, the mock's own arguments satisfy exactly.

use serde_json::{Map, Value};

/// Schemas nested deeper are refused.
const DEPTH_MAX: usize = 32;

/// Checks a schema and all that is in it.
pub(super) fn check(schema: &Value) -> Result<(), String> {
    if schema["anyOf"].is_array() {
        return Err("field `anyOf`: not allowed at the root".to_owned());
    }
    node(schema, DEPTH_MAX)
}

fn node(schema: &Value, depth: usize) -> Result<(), String> {
    let fields = schema.as_object().ok_or("a schema must be an object")?;
    if depth == 0 {
        return Err(format!("nested deeper than {DEPTH_MAX} levels"));
    }
    for name in ["$defs", "definitions"] {
        each(fields.get(name), |schema| node(schema, depth - 1))?;
    }
    if fields.contains_key("$ref") || fields.contains_key("enum") || fields.contains_key("const") {
        return Ok(());
    }
    if let Some(choices) = fields.get("anyOf").and_then(Value::as_array) {
        return choices.iter().try_for_each(|schema| node(schema, depth - 1));
    }
    match fields.get("type").and_then(Value::as_str) {
        Some("object") => object(fields, depth),
        Some("array") => {
            only(fields, &["items"])?;
            fields.get("items").map_or(Ok(()), |items| node(items, depth - 1))
        }
        Some("string") => {
            only(fields, &["pattern", "format"])?;
            string_format(fields)
        }
        Some("number" | "integer") => {
            only(fields, &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])
        }
        Some("boolean" | "null") => only(fields, &[]),
        Some(other) => Err(format!("field `type`: unknown type `{other}`")),
        None => Err("missing field `type`".to_owned()),
    }
}

fn object(fields: &Map<String, Value>, depth: usize) -> Result<(), String> {
    only(fields, &["properties", "required", "additionalProperties"])?;
    if fields.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err("field `additionalProperties`: must be false".to_owned());
    }
    let required = fields.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let properties = fields.get("properties").and_then(Value::as_object);
    for name in properties.iter().flat_map(|properties| properties.keys()) {
        if !required.iter().any(|required| required == name) {
            return Err(format!("field `required`: property `{name}` must be in it"));
        }
    }
    each(fields.get("properties"), |schema| node(schema, depth - 1))
}

fn string_format(fields: &Map<String, Value>) -> Result<(), String> {
    const FORMATS: [&str; 5] = ["email", "hostname", "ipv4", "ipv6", "uuid"];
    match fields.get("format").and_then(Value::as_str) {
        Some(format) if !FORMATS.contains(&format) => {
            Err(format!("field `format`: `{format}` is not supported"))
        }
        _ => Ok(()),
    }
}

fn each(schemas: Option<&Value>, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    let schemas = schemas.and_then(Value::as_object);
    schemas.into_iter().flat_map(Map::values).try_for_each(check)
}

/// Refuses keywords that are not among these or those that every schema may have.
fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    const COMMON: [&str; 9] =
        ["type", "title", "description", "default", "$schema", "$defs", "definitions", "$id", "examples"];
    let fine = |name: &&String| !known.contains(&name.as_str()) && !COMMON.contains(&name.as_str());
    match fields.keys().find(fine) {
        Some(name) => Err(format!("field `{name}`: not supported in strict mode")),
        None => Ok(()),
    }
}
