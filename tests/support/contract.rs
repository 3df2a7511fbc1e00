//! Whether the server answers as the document of its REST API says. Every answer that a test gets by
//! [`Server`](super::server::Server) is held to it, so that the document cannot fall behind.
//!
//! A request that is taken is looked at too: its query and its body must be described, or nobody could have made it by the
//! document.

use std::sync::LazyLock;

use reqwest::{Request, header::HeaderMap};
use serde_json::{Value, json};

use super::schema::strict_contradictions;

/// What an address without a route is answered with.
const UNKNOWN: &str = "404 page not found";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| server::api::document().unwrap());

/// What was asked for.
pub(crate) struct Asked {
    method: String,
    path: String,
    query: Vec<String>,
    body: Option<Value>,
}

/// What was answered.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// As JSON if it is some.
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let body = request.body().and_then(|body| body.as_bytes());
        Self {
            method: request.method().as_str().to_lowercase(),
            path: request.url().path().to_owned(),
            query: request.url().query_pairs().map(|(name, _)| name.into_owned()).collect(),
            body: body.and_then(|body| serde_json::from_slice(body).ok()),
        }
    }

    /// Panics with the operation, the status and the place where the answer contradicts the document.
    pub(crate) fn hold(&self, reply: &Reply) {
        let Some(operation) = self.operation() else {
            let Reply { status, body, .. } = reply;
            let is_unknown = *status == 404 && *body == json!(UNKNOWN);
            assert!(is_unknown, "no document describes {} {}: {status} {body}", self.method, self.path);
            return;
        };
        let mut found = of_reply(operation, reply);
        if (200..300).contains(&reply.status) {
            found.extend(self.of_request(operation));
        }
        let (id, status, body) = (&operation["operationId"], reply.status, &reply.body);
        let (method, path) = (self.method.to_uppercase(), &self.path);
        assert!(found.is_empty(), "{id} ({method} {path}), {status}:\n  {}\n{body}", found.join("\n  "));
    }

    /// Finds the operation; the path with the fewest variable parts is meant.
    fn operation(&self) -> Option<&'static Value> {
        let paths = DOCUMENT["paths"].as_object().unwrap().iter();
        let fitting = paths.filter(|(template, _)| fits(template, &self.path));
        let (_, at) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
        at.get(&self.method)
    }

    fn of_request(&self, operation: &Value) -> Vec<String> {
        let parameters = operation["parameters"].as_array().unwrap();
        let is_named = |name: &&String| {
            parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == **name)
        };
        let unknown = self.query.iter().filter(|name| !is_named(name));
        let mut found: Vec<_> = unknown.map(|name| format!("the query has `{name}`")).collect();
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match &self.body {
            Some(body) if schema.is_object() => {
                let wrong = strict_contradictions((&DOCUMENT, schema), body);
                found.extend(wrong.iter().map(|wrong| format!("in the request, {wrong}")));
            }
            // Tests send an empty object where nothing is read.
            Some(body) if *body != json!({}) => {
                found.push(format!("the request has a body that is not described: {body}"));
            }
            _ => {}
        }
        found
    }
}

/// Returns whether a path is one of a template, such as `/api/reminders/{id}`.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let is_one =
        |(pattern, part): (&&str, &&str)| pattern == part || (pattern.starts_with('{') && !part.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(is_one)
}

fn of_reply(operation: &'static Value, reply: &Reply) -> Vec<String> {
    let Some(response) = operation["responses"].get(reply.status.to_string()) else {
        return vec!["the document does not name this status".to_owned()];
    };
    let response = resolved(response);
    let headers = response["headers"].as_object().into_iter().flatten();
    let missing = headers
        .filter(|(name, header)| resolved(header)["required"] == true && !reply.headers.contains_key(*name))
        .map(|(name, _)| format!("the header `{name}` is missing"));
    let mut found: Vec<_> = missing.collect();
    let Some(content) = response["content"].as_object() else { return found };
    let kind = reply.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match content.get(kind.split(';').next().unwrap_or_default()) {
        Some(media) => found.extend(strict_contradictions((&DOCUMENT, &media["schema"]), &reply.body)),
        None => found.push(format!("the document does not name the content type `{kind}`")),
    }
    found
}

fn resolved(value: &'static Value) -> &'static Value {
    let Some(place) = value["$ref"].as_str() else { return value };
    DOCUMENT.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("`{place}` leads nowhere"))
}
