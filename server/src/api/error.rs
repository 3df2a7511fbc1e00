//! Errors: a schema for each code, and an answer for each set of codes.

use std::collections::BTreeMap;

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
    /// Whether the body is a problem of RFC 9457, too.
    #[serde(default)]
    problem: bool,
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
        if self.problem {
            kind::add_field(&mut schema, "type", &json!({"is": "string", "format": "uri"}));
            kind::add_field(&mut schema, "title", &json!("string"));
            kind::add_field(
                &mut schema,
                "detail",
                &json!({"is": "string", "description": "The same as `error`."}),
            );
            kind::add_field(
                &mut schema,
                "status",
                &json!({"is": "integer", "const": status(name).parse::<u16>().ok()}),
            );
        }
        for (name, says) in &self.more {
            kind::add_field(&mut schema, name, says);
        }
        schema["description"] = json!(self.means);
        schema
    }

    const fn media_type(&self) -> &'static str {
        if self.problem { "application/problem+json" } else { "application/json" }
    }

    fn headers(&self) -> impl Iterator<Item = &str> {
        self.tells.iter().map(String::as_str).chain(self.waits.then_some("Retry-After"))
    }
}

/// Returns the answer with one of these codes, which have one status.
pub(super) fn response(api: &Api, names: &[&str]) -> Value {
    let codes = || names.iter().filter_map(|name| api.errors.get(*name));
    let means: Vec<_> = codes().map(|code| code.means.as_str()).collect();
    let mut content: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, code) in names.iter().filter_map(|name| Some((*name, api.errors.get(*name)?))) {
        content.entry(code.media_type()).or_default().push(name);
    }
    let content: Map<_, _> = content
        .into_iter()
        .map(|(kind, names)| (kind.to_owned(), json!({"schema": any_of(&names)})))
        .collect();
    let mut headers = json!({"X-Request-Id": refer("headers", "X-Request-Id")});
    for name in codes().flat_map(Code::headers) {
        headers[name] = refer("headers", name);
    }
    json!({
        "description": means.join("; or: "),
        "headers": headers,
        "content": content,
    })
}

fn any_of(names: &[&str]) -> Value {
    if let [name] = names {
        return refer("schemas", &schema_name(name));
    }
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
