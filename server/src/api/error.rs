//! Errors: a schema for each code, and an answer for each set of codes.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, kind, refer};

/// What a code means. Its name is the status and the code, such as `404 not_found`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    means: String,
    /// Whether it tells when to ask again.
    #[serde(default)]
    waits: bool,
    /// Fields beside those that every error has.
    #[serde(default)]
    more: Map<String, Value>,
    /// Headers that come with it.
    #[serde(default)]
    tells: Vec<String>,
}

impl Code {
    /// Returns the schema of the body.
    pub(super) fn schema(&self, name: &str) -> Value {
        let mut schema = json!({
            "type": "object",
            "required": ["error", "code"],
            "properties": {"error": {"type": "string"}, "code": {"type": "string", "const": code(name)}},
        });
        if self.waits {
            kind::add_field(&mut schema, "retry_after_ms", &json!({"is": "integer", "minimum": 0}));
        }
        for (name, says) in &self.more {
            kind::add_field(&mut schema, name, says);
        }
        schema["description"] = json!(self.means);
        schema
    }

    fn headers(&self) -> impl Iterator<Item = &str> {
        self.tells.iter().map(String::as_str).chain(self.waits.then_some("Retry-After"))
    }
}

/// Returns the answer with one of these codes, which have one status.
pub(super) fn response(api: &Api, names: &[&str]) -> Value {
    let codes = || names.iter().filter_map(|name| api.errors.get(*name));
    let means: Vec<_> = codes().map(|code| code.means.as_str()).collect();
    let schema = match names {
        [name] => refer("schemas", &schema_name(name)),
        _ => any_of(names),
    };
    let mut headers = json!({"X-Request-Id": refer("headers", "X-Request-Id")});
    for name in codes().flat_map(Code::headers) {
        headers[name] = refer("headers", name);
    }
    json!({
        "description": means.join("; or: "),
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    })
}

fn any_of(names: &[&str]) -> Value {
    let schemas: Vec<_> = names.iter().map(|name| refer("schemas", &schema_name(name))).collect();
    let mapping = names
        .iter()
        .map(|name| (code(name).to_owned(), json!(format!("#/components/schemas/{}", schema_name(name)))));
    let mapping: Map<_, _> = mapping.collect();
    json!({"oneOf": schemas, "discriminator": {"propertyName": "code", "mapping": mapping}})
}

/// Returns the name of the answer: its status and its codes.
pub(super) fn response_name(names: &[&str]) -> String {
    let codes: Vec<_> = names.iter().map(|name| code(name)).collect();
    format!("{}.{}", names.first().map_or("", |name| status(name)), codes.join("."))
}

/// Returns the name of the schema of a code.
pub(super) fn schema_name(name: &str) -> String {
    format!("Error.{}.{}", status(name), code(name))
}

pub(super) fn status(name: &str) -> &str {
    name.split_once(' ').map_or(name, |(status, _)| status)
}

fn code(name: &str) -> &str {
    name.split_once(' ').map_or(name, |(_, code)| code)
}
