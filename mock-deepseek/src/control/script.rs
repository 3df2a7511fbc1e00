//! What the mock plays: the script, and faults for every request.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Control, Refusal, status};
use crate::{fault::Fault, stage::LoadError, tls};

/// Shows the text of the script.
pub(crate) async fn show(State(control): State<Arc<Control>>) -> Result<impl IntoResponse, Refusal> {
    let text = control.shared.stage.text().ok_or_else(|| {
        let hint = "a program set it as values; load one as text with `PUT /__mock/script`";
        Refusal::missing("script_without_text", "the script in force has no text", hint)
    })?;
    Ok(([(header::CONTENT_TYPE, "application/toml")], text))
}

/// Replaces the script; one that cannot be read changes nothing.
pub(crate) async fn load(
    State(control): State<Arc<Control>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let body = body?;
    let text = std::str::from_utf8(&body)
        .map_err(|error| Refusal::unreadable("bad_script", &error, "a script is TOML in UTF-8"))?;
    let hint = "the script before it stays in force; mend the line that is shown and load it again";
    control.shared.load_script(text).map_err(|error| match error {
        LoadError::Wrong(error) => Refusal::unreadable("bad_script", &error, hint),
        LoadError::NeedsTls(fault) => needs_tls(fault),
    })?;
    tracing::info!(bytes = body.len(), "script loaded over the control API");
    Ok(Json(json!({"loaded": true})))
}

fn needs_tls(fault: &str) -> Refusal {
    let hint = "start the mock with `--tls`, or as a library with `Builder::tls`";
    Refusal::conflict("needs_tls", format!("fault `{fault}` needs TLS, and clients come without"), hint)
}

/// A list of faults as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    faults: Vec<Fault>,
}

/// Orders faults for every request: `{"faults": [...]}`, or a list as the header `x-mock-fault` has it.
pub(crate) async fn order(
    State(control): State<Arc<Control>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let body = body?;
    let hint =
        "write `stall;after_events=3, crlf`, or `{\"faults\": [{\"id\": \"stall\", \"after_events\": 3}]}`";
    let wrong = |error: String| Refusal::unreadable("bad_fault", &error, hint);
    let text = std::str::from_utf8(&body).map_err(|error| wrong(error.to_string()))?.trim();
    let faults = if text.starts_with('{') {
        serde_json::from_str::<Order>(text)
            .map_err(|error| Refusal::misread("bad_fault", text.as_bytes(), &error, hint))?
            .faults
    } else {
        Fault::parse_list(text, ',').map_err(|error| wrong(error.to_string()))?
    };
    if let Some(fault) = tls::needed_by(&faults).filter(|_| control.shared.tls.is_none()) {
        return Err(needs_tls(fault));
    }
    control.shared.orders.set_faults(Some(faults));
    Ok(Json(json!({"faults": status::ordered(&control.shared)})))
}

/// Leaves the faults to the script again.
pub(crate) async fn withdraw(State(control): State<Arc<Control>>) -> Json<Value> {
    control.shared.orders.set_faults(None);
    Json(json!({"faults": null}))
}

/// Forgets what requests have left behind, and the order; the script stays.
pub(crate) async fn reset(State(control): State<Arc<Control>>) -> Json<Value> {
    control.shared.reset();
    Json(json!({"reset": true}))
}
