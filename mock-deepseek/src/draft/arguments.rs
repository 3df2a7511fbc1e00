//! Makes up arguments that satisfy a JSON Schema.
//!
//! It knows what tools use: types, `enum`, `const`, `$ref`, `anyOf`, `oneOf`, `allOf`, required properties,
//! formats, patterns and bounds. Invariant: the same schema gives the same value, recursion ends where the
//! schema allows it, and no schema gets a value of more than [`COST_MAX`]; beyond that `null` stands for the rest.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::pattern;

/// From this depth on only what is required is said.
const DEPTH_FULL: usize = 4;
/// Nothing is nested deeper.
const DEPTH_MAX: usize = 24;
/// The longest list that a schema can ask for.
const ITEMS_MAX: usize = 64;
/// The longest text that a schema can ask for.
const LENGTH_MAX: usize = 4096;

/// What a whole value may cost: each value within it counts, and long texts count for several.
const COST_MAX: usize = 4096;
/// A text counts once more for each so many bytes.
const TEXT_COST: usize = 16;

/// Returns a value of the schema.
pub(super) fn example(schema: &Value) -> Value {
    Maker { root: schema, left: Cell::new(COST_MAX) }.value(schema, 0)
}

struct Maker<'a> {
    root: &'a Value,
    /// What the rest may cost.
    left: Cell<usize>,
}

impl Maker<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        let left = self.left.get();
        if depth > DEPTH_MAX || left == 0 {
            return Value::Null;
        }
        self.left.set(left - 1);
        if let Some(target) = schema["$ref"].as_str().and_then(|name| self.resolve(name)) {
            return self.value(target, depth + 1);
        }
        if let Some(value) = schema.get("const") {
            return self.paid(value.clone());
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return self.paid(value.clone());
        }
        let choices = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array());
        if let Some(choice) = choices.and_then(|choices| simplest(choices, depth)) {
            return self.value(choice, depth + 1);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            return self.value(&merged(schema, parts, |name| self.resolve(name)), depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => self.paid(integer(schema)),
            "number" => self.paid(number(schema)),
            "boolean" => self.paid(Value::Bool(true)),
            "null" => Value::Null,
            _ => self.paid(Value::String(text(schema))),
        }
    }

    /// Takes off what the value costs beyond being one; one that costs too much is not said.
    fn paid(&self, value: Value) -> Value {
        let left = self.left.get().checked_sub(cost(&value) - 1);
        self.left.set(left.unwrap_or_default());
        left.map_or(Value::Null, |_| value)
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let wanted = |name: &str| depth < DEPTH_FULL || required.iter().any(|required| required == name);
        let properties = schema["properties"].as_object();
        let listed = properties.into_iter().flatten().filter(|(name, _)| wanted(name));
        let mut object: Map<_, _> =
            listed.map(|(name, schema)| (name.clone(), self.value(schema, depth + 1))).collect();
        for name in required.iter().filter_map(Value::as_str) {
            object.entry(name).or_insert_with(|| json!("text"));
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let bound = |name: &str| schema[name].as_u64().and_then(|count| usize::try_from(count).ok());
        let usual = usize::from(depth < DEPTH_FULL);
        let count =
            bound("minItems").unwrap_or_default().max(usual).min(bound("maxItems").unwrap_or(ITEMS_MAX));
        let anything = json!({"type": "string"});
        let items = schema.get("items").filter(|items| items.is_object()).unwrap_or(&anything);
        let item = self.value(items, depth + 1);
        let unique = schema["uniqueItems"] == true;
        let varied = |index: usize| if unique { vary(&item, index, items) } else { item.clone() };
        let (left, each) = (self.left.get(), cost(&item));
        let more = count.min(ITEMS_MAX).saturating_sub(1).min(left / each);
        self.left.set(left - more * each);
        Value::Array((0..count.min(1 + more)).map(varied).collect())
    }

    fn resolve(&self, name: &str) -> Option<&Value> {
        self.root.pointer(name.strip_prefix('#')?)
    }
}

/// Returns what a value costs.
fn cost(value: &Value) -> usize {
    1 + match value {
        Value::String(text) => text.len() / TEXT_COST,
        Value::Array(items) => items.iter().map(cost).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() / TEXT_COST + cost(value)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Chooses the alternative that ends soonest: beyond the full depth, the one that nests least.
fn simplest(choices: &[Value], depth: usize) -> Option<&Value> {
    let nests = |choice: &&Value| choice.get("$ref").is_some() || matches!(kind(choice), "object" | "array");
    let flat = choices.iter().find(|choice| !nests(choice));
    if depth < DEPTH_FULL { choices.first() } else { flat.or_else(|| choices.first()) }
}

/// Joins the parts of an `allOf` into one schema.
fn merged<'a>(schema: &Value, parts: &[Value], resolve: impl Fn(&str) -> Option<&'a Value>) -> Value {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    whole.remove("allOf");
    for part in parts {
        let part = part["$ref"].as_str().and_then(&resolve).unwrap_or(part);
        for (name, value) in part.as_object().into_iter().flatten() {
            match (whole.get_mut(name), value) {
                (Some(Value::Object(mine)), Value::Object(theirs)) => {
                    mine.extend(theirs.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
                (Some(Value::Array(mine)), Value::Array(theirs)) => {
                    let new: Vec<_> = theirs.iter().filter(|their| !mine.contains(their)).cloned().collect();
                    mine.extend(new);
                }
                _ => drop(whole.insert(name.clone(), value.clone())),
            }
        }
    }
    Value::Object(whole)
}

/// Returns the type; of several the first that is not null, and what the keywords tell if there is none.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => {
            let kinds = || kinds.iter().filter_map(Value::as_str);
            kinds().find(|kind| *kind != "null").or_else(|| kinds().next()).unwrap_or("string")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn integer(schema: &Value) -> Value {
    let step = schema["multipleOf"].as_i64().filter(|step| *step > 0).unwrap_or(1);
    let low = schema["minimum"].as_f64().map(f64::ceil);
    let above = schema["exclusiveMinimum"].as_f64().map(|low| low.floor() + 1.0);
    let high = schema["maximum"].as_f64().map(f64::floor);
    let below = schema["exclusiveMaximum"].as_f64().map(|high| high.ceil() - 1.0);
    let low = low.into_iter().chain(above).reduce(f64::max).map(whole);
    let high = high.into_iter().chain(below).reduce(f64::min).map(whole);
    let up = |value: i64| {
        value.div_euclid(step).saturating_add(i64::from(value.rem_euclid(step) > 0)).saturating_mul(step)
    };
    let down = |value: i64| value.div_euclid(step).saturating_mul(step);
    let usual = up(12);
    Value::from(match (low, high) {
        (Some(low), _) if usual < low => up(low),
        (_, Some(high)) if usual > high => down(high),
        _ => usual,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a bound beyond the range of integers is taken as its end"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

fn number(schema: &Value) -> Value {
    if schema.get("multipleOf").is_some_and(Value::is_i64) {
        return integer(schema);
    }
    let step = schema["multipleOf"].as_f64().filter(|step| *step > 0.0);
    let low = schema["minimum"].as_f64().or_else(|| schema["exclusiveMinimum"].as_f64());
    let high = schema["maximum"].as_f64().or_else(|| schema["exclusiveMaximum"].as_f64());
    let inside = match (low, high) {
        (Some(low), Some(high)) => f64::midpoint(low, high),
        (Some(low), None) => low + 1.5,
        (None, Some(high)) => high - 1.5,
        (None, None) => 1.5,
    };
    let value = step.map_or(inside, |step| (inside / step).ceil() * step);
    serde_json::Number::from_f64(value).map_or(Value::from(0), Value::Number)
}

fn text(schema: &Value) -> String {
    if let Some(text) = schema["pattern"].as_str().and_then(pattern::example) {
        return text;
    }
    let text = match schema["format"].as_str() {
        Some("date") => return "2026-09-21".to_owned(),
        Some("time") => return "13:33:20Z".to_owned(),
        Some("date-time") => return "2026-09-21T13:33:20Z".to_owned(),
        Some("email") => return "ada@example.com".to_owned(),
        Some("hostname") => return "example.com".to_owned(),
        Some("uri") => return "https://example.com/".to_owned(),
        Some("ipv4") => return "192.0.2.1".to_owned(),
        Some("ipv6") => return "2001:db8::1".to_owned(),
        Some("uuid") => return "5f0c7a52-9d0e-4c43-8b1f-0d6a4b8e2c11".to_owned(),
        _ => "text",
    };
    let bound = |name: &str| schema[name].as_u64().and_then(|length| usize::try_from(length).ok());
    let least = bound("minLength").unwrap_or_default().min(LENGTH_MAX);
    let length = least.max(text.len()).min(bound("maxLength").unwrap_or(LENGTH_MAX));
    text.chars().cycle().take(length).collect()
}

/// Makes the value at `index` differ from those before it.
fn vary(item: &Value, index: usize, schema: &Value) -> Value {
    match item {
        _ if schema["enum"].is_array() => schema["enum"].get(index).unwrap_or(item).clone(),
        Value::String(text) if index > 0 => Value::String(format!("{text}{index}")),
        Value::Number(number) => {
            let next = i64::try_from(index).ok().and_then(|index| number.as_i64()?.checked_add(index));
            next.map_or_else(|| item.clone(), Value::from)
        }
        _ => item.clone(),
    }
}

#[cfg(test)]
mod tests;
