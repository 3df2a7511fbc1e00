//! What the server tells of its API: as sound as OpenAPI and AsyncAPI want it, and the same routes and codes as its source.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::tree::{root, rust};

const METHODS: [&str; 5] = ["get", "post", "put", "delete", "patch"];

fn document() -> Value {
    server::api::document().expect("the document can be made")
}

/// Returns every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, at)| {
        at.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation.clone()))
    });
    all.collect()
}

/// Returns the code of the server without its tests.
fn server_code() -> String {
    let sources = rust()
        .into_iter()
        .filter(|source| source.path.starts_with("server/src/") && !source.path.contains("/tests"));
    sources
        .flat_map(|source| source.code().map(str::to_owned).collect::<Vec<_>>())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_routes_of_the_server_are_those_of_its_document_f140() {
    let code = server_code();
    let route = Regex::new(r#"\.route\(\s*"([^"]+)",\s*((?:[^()]|\([^()]*\))*)\)"#).expect("a pattern");
    let method = Regex::new(r"(\w+)\(").expect("a pattern");

    let mut routed = BTreeSet::new();
    for found in route.captures_iter(&code) {
        for name in method.captures_iter(&found[2]) {
            assert!(
                METHODS.contains(&&name[1]),
                "`{}` at {} is no method that can be described",
                &name[1],
                &found[1]
            );
            routed.insert(format!("{} {}", name[1].to_uppercase(), &found[1]));
        }
    }

    let described: BTreeSet<_> = operations(&document()).into_iter().map(|(call, _)| call).collect();
    assert_eq!(code.matches(".route(").count(), route.find_iter(&code).count(), "a path is not written out");
    for other in [".nest(", ".nest_service(", ".route_service(", ".fallback_service("] {
        assert!(!code.contains(other), "routes behind `{other}` are not seen here");
    }
    let missing: Vec<_> = routed.difference(&described).collect();
    let invented: Vec<_> = described.difference(&routed).collect();
    assert!(missing.is_empty(), "describe these in server/src/api.toml: {missing:#?}");
    assert!(invented.is_empty(), "no route is behind these of server/src/api.toml: {invented:#?}");
}

/// Returns status and code as the source writes them, such as `NOT_FOUND not_found`.
fn written(status: &str, code: &str) -> String {
    let status = reqwest::StatusCode::from_bytes(status.as_bytes()).expect("a status");
    let name = status.canonical_reason().unwrap_or_default().to_uppercase().replace(' ', "_");
    format!("{name} {code}")
}

#[test]
fn the_codes_of_the_server_are_those_of_its_document_f140() {
    let pair = Regex::new(r#"StatusCode::([A-Z_]+),\s*"([a-z_]+)""#).expect("a pattern");
    let code = server_code();
    let given: BTreeSet<_> =
        pair.captures_iter(&code).map(|found| format!("{} {}", &found[1], &found[2])).collect();

    let document = document();
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let described = schemas.filter_map(|(name, _)| name.strip_prefix("Error.")?.split_once('.'));
    let described: BTreeSet<_> = described.map(|(status, code)| written(status, code)).collect();

    assert!(given.len() > 40, "{given:?}");
    assert_eq!(given.difference(&described).collect::<Vec<_>>(), [""; 0], "not described");
    assert_eq!(described.difference(&given).collect::<Vec<_>>(), [""; 0], "never given");
}

#[test]
fn the_documents_that_are_kept_are_those_that_are_made_f140() {
    let made = [("api", "openapi", document()), ("socket", "asyncapi", server::chat::asyncapi::document())];

    for (subject, file, document) in made {
        let path = format!("docs/{file}.json");
        let kept = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
        let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
        assert!(kept == document, "{path} is old; write it anew: gauntlet schema --of {subject} > {path}");
    }
}

/// Calls `look` with every value of a document and its place.
fn walk(value: &Value, at: &str, look: &mut impl FnMut(&str, &Value)) {
    look(at, value);
    match value {
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, one)| walk(one, &format!("{at}/{n}"), look));
        }
        Value::Object(all) => all.iter().for_each(|(name, one)| walk(one, &format!("{at}/{name}"), look)),
        _ => {}
    }
}

/// Returns what is wrong with the references and the objects of a document.
fn flaws(document: &Value) -> Vec<String> {
    let (mut flaws, mut used) = (Vec::new(), BTreeSet::new());
    walk(document, "", &mut |at, value| {
        if let Some(place) = value["$ref"].as_str() {
            used.insert(place.to_owned());
            if document.pointer(place.trim_start_matches('#')).is_none() {
                flaws.push(format!("{at}: `{place}` leads nowhere"));
            }
        }
        if let (Some(names), "object") =
            (value["required"].as_array(), value["type"].as_str().unwrap_or_default())
        {
            let absent = names
                .iter()
                .filter(|name| value["properties"].get(name.as_str().unwrap_or_default()).is_none());
            flaws.extend(absent.map(|name| format!("{at}: {name} is required and not described")));
        }
    });
    for folder in ["schemas", "responses", "headers", "messages"] {
        let parts = document["components"][folder].as_object().into_iter().flatten();
        let places = parts.map(|(name, _)| format!("#/components/{folder}/{name}"));
        flaws.extend(
            places.filter(|place| !used.contains(place)).map(|place| format!("nobody needs `{place}`")),
        );
    }
    flaws
}

#[test]
fn all_references_of_both_documents_lead_somewhere_f140() {
    assert_eq!(flaws(&document()), [""; 0]);
    assert_eq!(flaws(&server::chat::asyncapi::document()), [""; 0]);
}

/// Returns what is wrong with an operation by the rules of OpenAPI 3.1.
fn flaws_of(document: &Value, (call, operation): &(String, Value)) -> Vec<String> {
    let of = |place: &str| -> BTreeSet<String> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let there = parameters.filter(|parameter| parameter["in"] == place);
        there.map(|parameter| parameter["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let parts = call.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parts: BTreeSet<_> = parts.map(str::to_owned).collect();
    let mut flaws = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            flaws.push(format!("{call}: {what}"));
        }
    };
    must(of("path") == parts, "the parts of the path are not its parameters");
    must(of("header").is_disjoint(&BTreeSet::from(["Authorization".to_owned()])), "a token is no parameter");
    let tags = document["tags"].as_array().into_iter().flatten();
    must(tags.into_iter().any(|tag| tag["name"] == operation["tags"][0]), "the tag is not described");
    for key in operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object) {
        let schemes = &document["components"]["securitySchemes"];
        must(key.keys().all(|key| schemes.get(key).is_some()), "a key is not described");
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        must(parameter["schema"].is_object(), "a parameter is of no type");
        must(parameter["in"] != "path" || parameter["required"] == true, "a part of the path may be absent");
    }
    let answers: Vec<_> = operation["responses"].as_object().into_iter().flatten().collect();
    let is_status = |status: &str| status.len() == 3 && status.parse().is_ok_and(|n| (100..600).contains(&n));
    must(answers.iter().all(|(status, _)| is_status(status)), "an answer has no status");
    must(answers.iter().any(|(status, _)| status.starts_with(['1', '2'])), "no answer is a good one");
    must(answers.iter().any(|(status, _)| *status == "429"), "nobody is too fast");
    flaws
}

#[test]
fn every_operation_is_as_openapi_wants_it_f140() {
    let document = document();
    let operations = operations(&document);

    let names: BTreeSet<_> =
        operations.iter().map(|(_, operation)| operation["operationId"].to_string()).collect();
    let flaws: Vec<_> = operations.iter().flat_map(|operation| flaws_of(&document, operation)).collect();

    assert_eq!(flaws, [""; 0]);
    assert_eq!(names.len(), operations.len(), "two operations have one name");
    assert_eq!(document["openapi"], "3.1.0");
}
