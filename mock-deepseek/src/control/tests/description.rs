//! The description of the control API, compared with what it does.

use std::collections::BTreeSet;

use axum::http::Method;
use reqwest::StatusCode;
use serde_json::Value;

use super::Stage;
use crate::control::ROUTES;

fn description() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

#[test]
fn the_description_has_exactly_the_routes_that_there_are_m11() {
    let described: BTreeSet<_> = description()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
        })
        .collect();
    let routes = ROUTES
        .iter()
        .flat_map(|(path, methods)| methods.iter().map(|method| ((*path).to_owned(), method.to_string())));

    assert_eq!(described, routes.collect());
}

#[tokio::test]
async fn every_route_has_exactly_its_methods_m11() {
    let stage = Stage::new().await;

    for (path, methods) in ROUTES {
        let path = path.replace("{number}", "1").replace("{id}", "stall");
        for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH] {
            let url = format!("{}{path}", stage.control);
            let status = stage.client.request(method.clone(), url).send().await.unwrap().status();
            assert_eq!(
                status == StatusCode::METHOD_NOT_ALLOWED,
                !methods.contains(&method),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_reference_in_the_description_leads_somewhere_m11() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);

    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn answers_have_the_fields_that_the_description_requires_m11() {
    let stage = Stage::new().await;
    stage.ask("hi").await;
    let description = description();
    let required = |schema: &str| {
        let part = description.pointer(&format!("/components/schemas/{schema}/required")).unwrap();
        part.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();

    assert_eq!(fields(&stage.get("/__mock/status").await.1), required("Status"));
    assert_eq!(fields(&stage.get("/__mock/clock").await.1), required("Clock"));
    assert_eq!(fields(&stage.get("/__mock/journal").await.1["exchanges"][0]), required("Summary"));
    assert_eq!(fields(&stage.get("/__mock/faults").await.1["faults"][0]), required("FaultEntry"));
    assert_eq!(fields(&stage.get("/__mock/nothing").await.1), required("Refusal"));
}
