//! One route, written out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, error, kind, refer};

/// An answer without a body.
const NOTHING: &str = "none";

/// A route, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    /// Method and path, as the router has them.
    call: String,
    id: String,
    tag: String,
    #[serde(default = "anybody")]
    access: String,
    summary: String,
    about: Option<String>,
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default)]
    asks: Vec<String>,
    /// The object in the body.
    takes: Option<String>,
    /// The media type of a body that is text.
    reads: Option<String>,
    /// What is answered where all is well, by status.
    gives: BTreeMap<String, String>,
    #[serde(default = "json_alone")]
    media: Vec<String>,
    /// Headers that come with it.
    #[serde(default)]
    tells: Vec<String>,
    /// Errors of its own, beside those of its kind.
    #[serde(default)]
    errors: Vec<String>,
}

fn anybody() -> String {
    "anybody".to_owned()
}

fn json_alone() -> Vec<String> {
    vec!["application/json".to_owned()]
}

impl Route {
    /// Returns the method and the path.
    pub(super) fn place(&self) -> (&str, &str) {
        self.call.split_once(' ').unwrap_or(("GET", &self.call))
    }

    /// Returns the operation.
    pub(super) fn operation(&self, api: &Api) -> Value {
        let by = api.access.get(&self.access).map(|access| access.by.as_slice()).unwrap_or_default();
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "security": by.iter().map(|key| json!({key: []})).collect::<Vec<_>>(),
            "parameters": self.parameters(api),
            "responses": self.responses(api),
        });
        if let Some(about) = &self.about {
            operation["description"] = json!(about);
        }
        if let Some(object) = &self.takes {
            let content = json!({"application/json": {"schema": refer("schemas", object)}});
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        if let Some(media) = &self.reads {
            let content = Map::from_iter([(media.clone(), json!({"schema": {"type": "string"}}))]);
            operation["requestBody"] = json!({"required": true, "content": content});
        }
        operation
    }

    /// Returns the sets of codes that it may be refused with, by status.
    pub(super) fn refusals<'a>(&'a self, api: &'a Api) -> BTreeMap<&'a str, Vec<&'a str>> {
        let of_kind = api.access.get(&self.access).into_iter().flat_map(|access| &access.errors);
        let has_input = !self.query.is_empty() || self.parts().next().is_some();
        let of_address = api.wrong.address.iter().filter(|_| has_input);
        let of_body = api.wrong.body.iter().filter(|_| self.takes.is_some() || self.reads.is_some());
        let all = of_kind.chain(of_address).chain(of_body).chain(&self.errors);
        let mut sets: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for name in all.collect::<BTreeSet<_>>() {
            sets.entry(error::status(name)).or_default().push(name.as_str());
        }
        sets
    }

    /// Returns the names of the variable parts of the path.
    fn parts(&self) -> impl Iterator<Item = &str> {
        self.place().1.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    fn parameters(&self, api: &Api) -> Vec<Value> {
        let parts = self.parts().map(|name| ("path", name, api.path.get(name)));
        let query = self.query.iter().map(|(name, says)| ("query", name.as_str(), Some(says)));
        let headers = self.asks.iter().map(|name| ("header", name.as_str(), api.asks.get(name)));
        parts.chain(query).chain(headers).map(parameter).collect()
    }

    fn responses(&self, api: &Api) -> Map<String, Value> {
        let gives = self.gives.iter().map(|(status, kind)| (status.clone(), self.answer(kind)));
        let refusals = self.refusals(api).into_iter();
        let refusals = refusals
            .map(|(status, names)| (status.to_owned(), refer("responses", &error::response_name(&names))));
        gives.chain(refusals).collect()
    }

    fn answer(&self, kind: &str) -> Value {
        let told = self.tells.iter().map(String::as_str).chain(["X-Request-Id"]);
        let headers: Map<_, _> = told.map(|name| (name.to_owned(), refer("headers", name))).collect();
        let mut answer = json!({"description": self.summary, "headers": headers});
        if kind != NOTHING {
            let (schema, _) = kind::schema(&json!(kind));
            let content = self.media.iter().map(|media| (media.clone(), json!({"schema": schema})));
            answer["content"] = Value::Object(content.collect());
        }
        answer
    }
}

fn parameter((place, name, says): (&str, &str, Option<&Value>)) -> Value {
    let (mut schema, is_optional) = kind::schema(says.unwrap_or(&Value::Null));
    let about = schema.as_object_mut().and_then(|words| words.remove("description"));
    json!({
        "name": name,
        "in": place,
        "required": !is_optional,
        "description": about.unwrap_or(json!("")),
        "schema": schema,
    })
}
