//! The REST API as an OpenAPI document (3.1), made of `api.toml`.
//!
//! That file says in a few words what differs from route to route; what a reader of OpenAPI wants to find at each of them is
//! written out here: errors that all routes of a kind share, their bodies and headers, parts of paths.
//!
//! Invariant: nothing here knows a route. Whether the file is true is the tests' business: they hold the routes of the
//! router, the codes of errors and every answer that they get to the document.

mod error;
mod kind;
mod route;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use error::Code;
use route::Route;

const FILE: &str = include_str!("api.toml");

/// Makes the document.
pub fn document() -> Result<Value, Broken> {
    Ok(toml::from_str::<Api>(FILE).map_err(Box::new)?.document())
}

/// Why there is no document.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the description of the API cannot be read: {0}")]
pub struct Broken(#[from] Box<toml::de::Error>);

/// Returns the document as text; it is made once.
pub(crate) fn text() -> Result<&'static str, &'static Broken> {
    static TEXT: LazyLock<Result<String, Broken>> =
        LazyLock::new(|| document().map(|document| document.to_string()));
    TEXT.as_deref()
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    title: String,
    about: String,
    tags: BTreeMap<String, String>,
    access: BTreeMap<String, Access>,
    wrong: Wrong,
    keys: Map<String, Value>,
    path: Map<String, Value>,
    /// Headers of requests, and of answers.
    asks: Map<String, Value>,
    tells: Map<String, Value>,
    errors: BTreeMap<String, Code>,
    types: Map<String, Value>,
    objects: BTreeMap<String, Map<String, Value>>,
    route: Vec<Route>,
}

/// Who may ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    /// What proves it, any of these; nothing where everybody may.
    #[serde(default)]
    by: Vec<String>,
    errors: Vec<String>,
}

/// The errors of requests that have a part in their path or a query, and of those that have a body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    address: Vec<String>,
    body: Vec<String>,
}

impl Api {
    fn document(&self) -> Value {
        let mut paths = Map::new();
        for route in &self.route {
            let (method, path) = route.place();
            let at = paths.entry(path).or_insert_with(|| json!({}));
            at[method.to_lowercase()] = route.operation(self);
        }
        let tags = self.tags.iter().map(|(name, about)| json!({"name": name, "description": about}));
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": self.title,
                "version": env!("CARGO_PKG_VERSION"),
                "description": self.about,
                "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
            },
            "tags": tags.collect::<Vec<_>>(),
            "paths": paths,
            "components": {
                "schemas": self.schemas(),
                "responses": self.responses(),
                "headers": self.tells.iter().map(header).collect::<Map<_, _>>(),
                "securitySchemes": self.keys,
            },
        })
    }

    fn schemas(&self) -> Map<String, Value> {
        let objects = self.objects.iter().map(|(name, fields)| (name.clone(), self.object(fields)));
        let errors = self.errors.iter().map(|(name, code)| (error::schema_name(name), code.schema(name)));
        self.types.clone().into_iter().chain(objects).chain(errors).collect()
    }

    /// Returns the schema of an object, with the fields of the one that it is like.
    fn object(&self, fields: &Map<String, Value>) -> Value {
        let like = fields.get("like").and_then(Value::as_str).and_then(|name| self.objects.get(name));
        let mut object = like.map_or_else(|| json!({"type": "object"}), |like| self.object(like));
        for (name, says) in fields {
            match name.as_str() {
                "like" => {}
                "about" => object["description"] = says.clone(),
                "example" => object["examples"] = json!([says]),
                _ => kind::add_field(&mut object, name, says),
            }
        }
        object
    }

    /// Returns the answers to what is refused, each set of codes once.
    fn responses(&self) -> Map<String, Value> {
        let sets = self.route.iter().flat_map(|route| route.refusals(self));
        sets.map(|(_, names)| (error::response_name(&names), error::response(self, &names))).collect()
    }
}

fn header((name, says): (&String, &Value)) -> (String, Value) {
    let (mut schema, is_optional) = kind::schema(says);
    let about = schema.as_object_mut().and_then(|words| words.remove("description"));
    (
        name.clone(),
        json!({"description": about.unwrap_or(json!("")), "required": !is_optional, "schema": schema}),
    )
}

/// Refers to something among the components.
fn refer(folder: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{folder}/{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_written_out_with_what_all_of_its_kind_share() {
        let document = document().unwrap();
        let operation = &document["paths"]["/api/reminders"]["post"];
        let conflict = "409.request_running.suggestion_used.too_many";

        assert_eq!(operation["security"], json!([{"token": []}]));
        assert_eq!(operation["responses"]["409"], refer("responses", conflict));
        assert!(document["components"]["responses"][conflict].is_object());
        insta::assert_snapshot!(operation["responses"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" "), @"201 400 401 404 408 409 410 413 422 429 500 503");
        insta::assert_snapshot!(document["components"]["schemas"]["Error.429.blocked"], @r#"{"type":"object","required":["error","code","retry_after_ms"],"properties":{"error":{"type":"string"},"code":{"type":"string","const":"blocked"},"retry_after_ms":{"type":"integer","minimum":0}},"description":"Too many messages of this user had to be refused"}"#);
    }

    #[test]
    fn the_text_is_the_document() {
        assert_eq!(serde_json::from_str::<Value>(text().unwrap()).unwrap(), document().unwrap());
    }
}
