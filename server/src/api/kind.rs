//! Types as `api.toml` writes them, as JSON Schema.

use serde_json::{Value, json};

use super::refer;

/// Types that JSON has itself; any other name is one of the file's.
const PLAIN: [&str; 4] = ["string", "integer", "number", "boolean"];

/// Returns the schema of what is said about a field, and whether that may be absent: the name of a type, a table with that
/// name in `is`, or a schema as it stands.
pub(super) fn schema(says: &Value) -> (Value, bool) {
    if let Some(kind) = says.as_str() {
        return of(kind);
    }
    let Some(kind) = says["is"].as_str() else { return (says.clone(), false) };
    let (mut schema, is_optional) = of(kind);
    for (word, says) in says.as_object().into_iter().flatten().filter(|(word, _)| *word != "is") {
        schema[word] = says.clone();
    }
    (schema, is_optional)
}

/// Adds a field to the schema of an object.
pub(super) fn add_field(object: &mut Value, name: &str, says: &Value) {
    let (schema, is_optional) = schema(says);
    object["properties"][name] = schema;
    if is_optional {
        return;
    }
    match object["required"].as_array_mut() {
        Some(names) => names.push(name.into()),
        None => object["required"] = json!([name]),
    }
}

/// Reads a type: its name, `[]`, `|null`, `?`.
fn of(kind: &str) -> (Value, bool) {
    let (kind, is_optional) = without(kind, "?");
    let (kind, is_nullable) = without(kind, "|null");
    let (kind, is_list) = without(kind, "[]");
    let one = if PLAIN.contains(&kind) { json!({"type": kind}) } else { refer("schemas", kind) };
    let all = if is_list { json!({"type": "array", "items": one}) } else { one };
    let schema = match all["type"].as_str() {
        _ if !is_nullable => all,
        Some(plain) if !is_list => json!({"type": [plain, "null"]}),
        _ => json!({"anyOf": [all, {"type": "null"}]}),
    };
    (schema, is_optional)
}

fn without<'a>(kind: &'a str, end: &str) -> (&'a str, bool) {
    kind.strip_suffix(end).map_or((kind, false), |rest| (rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        let id = json!({"$ref": "#/components/schemas/Id"});

        assert_eq!(of("string"), (json!({"type": "string"}), false));
        assert_eq!(of("integer|null?"), (json!({"type": ["integer", "null"]}), true));
        assert_eq!(of("Id"), (id.clone(), false));
        assert_eq!(of("Id[]?"), (json!({"type": "array", "items": id}), true));
        assert_eq!(of("Id|null"), (json!({"anyOf": [id, {"type": "null"}]}), false));
    }

    #[test]
    fn what_else_is_said_stands_beside_the_type() {
        let says = json!({"is": "string?", "maxLength": 7});

        assert_eq!(schema(&says), (json!({"type": "string", "maxLength": 7}), true));
        assert_eq!(schema(&json!({"type": "array"})), (json!({"type": "array"}), false));
    }
}
