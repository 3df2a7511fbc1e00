//! The catalogue over HTTP.

use std::collections::BTreeMap;

use axum::{Json, extract::Path};
use serde::Serialize;
use serde_json::{Value, json};

use super::Refusal;
use crate::{
    catalogue::{Carrier, FaultInfo, FaultKind, Layer, Mode, Place, catalogue},
    fault::Fault,
    transcript::transcript,
};

/// A line of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    id: &'a str,
    title: &'a str,
    layer: Layer,
    place: Place,
    kind: FaultKind,
    mode: Mode,
    carrier: Carrier,
}

impl<'a> From<&'a FaultInfo> for Entry<'a> {
    fn from(info: &'a FaultInfo) -> Self {
        let &FaultInfo { id, ref title, layer, place, kind, mode, carrier, .. } = info;
        Self { id, title, layer, place, kind, mode, carrier }
    }
}

/// Returns the list of all faults.
pub(crate) fn entries() -> Vec<Entry<'static>> {
    catalogue().iter().map(Entry::from).collect()
}

pub(crate) async fn list() -> Json<Value> {
    Json(json!({"faults": entries()}))
}

/// Shows a fault with its bytes; parameters may follow the id, as in the header.
pub(crate) async fn one(Path(text): Path<String>) -> Result<Json<Value>, Refusal> {
    let fault = Fault::parse(&text).map_err(|error| {
        Refusal::missing("unknown_fault", error.to_string(), "`/__mock/faults` lists the ids")
    })?;
    let info = fault.info();
    let parameters: BTreeMap<_, _> = info
        .parameters
        .iter()
        .map(|(name, parameter)| {
            (name, json!({"default": parameter.default, "unit": parameter.unit, "about": parameter.about}))
        })
        .collect();
    let mut shown = json!(Entry::from(info));
    if let Value::Object(fields) = &mut shown {
        fields.insert("wire".to_owned(), json!(info.wire));
        fields.insert("broke".to_owned(), json!(info.broke));
        fields.insert("sources".to_owned(), json!(info.sources));
        fields.insert("parameters".to_owned(), json!(parameters));
        fields.insert("bytes".to_owned(), json!(transcript(std::slice::from_ref(&fault))));
    }
    Ok(Json(shown))
}
